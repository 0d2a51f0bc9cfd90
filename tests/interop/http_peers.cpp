// HTTP with other people's programs: tests/interop/http/*.py, each of which says what it does.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/command.hpp"
#include "support/process.hpp"

namespace quarq::test::http_interop {
namespace {

using namespace std::chrono_literals;

// Exit codes of the scripts (lab.py).
constexpr int skipped = 77;
constexpr int not_allowed = 78;

// `with`: in whose folder the script's Python is.
void run_script(const std::string& name, const std::vector<std::string>& arguments = {},
                const std::string& with = "build/peers") {
  const bool must = std::getenv("CI") != nullptr;
  const auto python = QUARQ_TEST_SOURCE_DIR "/../" + with + "/bin/python";
  if (!std::filesystem::exists(python)) {
    if (must) FAIL() << with << " is missing";
    GTEST_SKIP() << with << " is missing";
  }
  std::vector<std::string> words{python, "-B", QUARQ_TEST_SOURCE_DIR "/interop/http/" + name,
                                 QUARQ_TEST_BIN_DIR};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto done = run_command(words, {}, 280s);
  if (done.exit_code == not_allowed || (done.exit_code == skipped && !must)) GTEST_SKIP() << done.out;
  EXPECT_EQ(done.exit_code, 0) << tail(done.out) << '\n' << tail(done.err);
}

struct proxy {
  std::string kind;
  std::string manner;
};

class http_behind_proxy : public testing::TestWithParam<proxy> {};

TEST_P(http_behind_proxy, both_see_the_same_requests) {
  run_script("proxies.py", {GetParam().kind, GetParam().manner});
}

INSTANTIATE_TEST_SUITE_P(at, http_behind_proxy,
                         testing::Values(proxy{"nginx", "strict"}, proxy{"nginx", "lenient"},
                                         proxy{"haproxy", "strict"}, proxy{"haproxy", "lenient"}),
                         [](const testing::TestParamInfo<proxy>& one) {
                           return one.param.kind + "_" + one.param.manner;
                         });

TEST(http_slow_clients, hold_up_nobody) {
  run_script("slow_clients.py");
}

TEST(http_tls_beside_curl, both_trust_the_same_servers) {
  run_script("tls.py");
}

TEST(http_through_squid, by_get_and_by_tunnel) {
  run_script("squid.py");
}

TEST(http_address_families, a_dead_one_is_passed_over) {
  run_script("ipv6.py");
}

TEST(http_conformance, no_other_server_is_above_ours) {
  run_script("conformance.py");
}

TEST(http_autobahn, finds_nothing_in_our_server) {
  run_script("autobahn_cases.py", {"server"}, "build/autobahn");
}

TEST(http_autobahn, finds_nothing_in_our_client) {
  run_script("autobahn_cases.py", {"client"}, "build/autobahn");
}

TEST(http_browser, chromium_gets_what_it_asks_for) {
  run_script("browser.py");
}

}  // namespace
}  // namespace quarq::test::http_interop
