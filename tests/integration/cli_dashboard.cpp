// What `quarq dashboard` refuses; tests/interop/dashboard.cpp shows what it serves.
#include "integration/cli_test.hpp"

namespace quarq::test::cli_dashboard_tests {
namespace {

using namespace cli_tests;

class cli_dashboard : public cli_test {};

TEST_P(cli_dashboard, is_not_served_to_others_without_a_token) {
  expect_error(quarq({"dashboard", "--listen", "0.0.0.0:0"}), 2,
               "--listen: 0.0.0.0 can be reached from other hosts: give --token, --viewer-token or "
               "--user-header (see quarq dashboard --help)");
}

TEST_P(cli_dashboard, names_what_is_wrong_with_its_options) {
  const std::string see = " (see quarq dashboard --help)";
  expect_error(quarq({"dashboard", "--listen", "127.0.0.1"}), 2,
               "--listen: expected ADDRESS:PORT, like 127.0.0.1:8090, got 127.0.0.1" + see);
  expect_error(quarq({"dashboard", "--listen", "127.0.0.1:99999"}), 2,
               "--listen: expected ADDRESS:PORT, like 127.0.0.1:8090, got 127.0.0.1:99999" + see);
  expect_error(quarq({"dashboard", "--prefix", "ops"}), 2,
               "--prefix: expected a path like /ops, got ops" + see);
  quarq({"enqueue", "greet", "\"Ann\""});  // a file that is not there is refused first
  const auto file = quarq({"dashboard", "--listen", "127.0.0.1:0", "--audit-log", "/no/such/folder/file"});
  expect_error(file, 2, "audit file /no/such/folder/file: No such file or directory" + see);
}

INSTANTIATE_TEST_SUITE_P(at, cli_dashboard, testing::ValuesIn(cli_brokers()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace quarq::test::cli_dashboard_tests
