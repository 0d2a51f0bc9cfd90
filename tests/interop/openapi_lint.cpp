// What a server of RPC says of itself, judged by Redocly's linter: tasks with every kind of parameter and result.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/rpc/server.hpp>

#include "base/log.hpp"
#include "interop/models_for_schemas.hpp"
#include "support/command.hpp"
#include "support/on_loop.hpp"
#include "support/served.hpp"
#include "support/temp_dir.hpp"

namespace quarq::validation_tests {
namespace linted {

using namespace schemas;

inline constexpr task<void()> nothing_at_all{"nothing_at_all"};
inline constexpr task<int(int, std::string)> named{"named", "a", "b"};
inline constexpr task<void(double, bool)> unnamed{"unnamed"};
inline constexpr task<std::vector<size>(size)> odd_name{"a task/with a name? 100 %"};
inline constexpr task<derived(widths, steps, periods, moments)> numbers_of{"numbers", "w", "s", "p", "m"};
inline constexpr task<characters(renamed, relaxed, hidden, choices)> texts_of{"texts", "r", "x", "h", "c"};
inline constexpr task<maybes(matrix, sets, maps, tuples)> containers_of{"containers", "m", "s", "p", "t"};
inline constexpr task<mixed(first, nothing, std::vector<first>)> structs_of{"structs", "f", "n", "all"};
inline constexpr task<folder(person, pet)> recursive_of{"recursive", "p", "q"};
inline constexpr task<shop(payment, expression, event)> variants_of{"variants", "p", "e", "v"};
inline constexpr task<std::variant<bool, voucher>(bytes, std::optional<secret<std::string>>)> others_of{
    "others", "data", "word"};
inline constexpr task<std::map<std::string, std::vector<std::pair<int, double>>>(new_user, order)> users_of{
    "users", "user", "order"};

handlers all_of_them() {
  base::set_log_level("off");
  handlers all;
  all.handle(nothing_at_all, [] {})
      .handle(named, [](int a, const std::string&) { return a; })
      .handle(unnamed, [](double, bool) {})
      .handle(odd_name, [](size one) { return std::vector<size>{one}; })
      .handle(numbers_of,
              [](const widths&, const steps&, const periods&, const moments&) { return derived{}; })
      .handle(texts_of,
              [](const renamed&, const relaxed&, const hidden&, const choices&) { return characters{}; })
      .handle(containers_of, [](const matrix&, const sets&, const maps&, const tuples&) { return maybes{}; })
      .handle(structs_of, [](const first&, const nothing&, const std::vector<first>&) { return mixed{}; })
      .handle(recursive_of, [](const person&, const pet&) { return folder{}; })
      .handle(variants_of, [](const payment&, const expression&, const event&) { return shop{}; })
      .handle(others_of,
              [](const bytes&, const std::optional<secret<std::string>>&) {
                return std::variant<bool, voucher>{};
              })
      .handle(users_of, [](const new_user&, const order&) {
        return std::map<std::string, std::vector<std::pair<int, double>>>{};
      });
  return all;
}

std::string served_description() {
  rpc::server_options options;
  options.http.port = 0;
  rpc::server server(all_of_them(), options);
  const test::served_calls running(server);
  http::client web;
  const auto url = "http://127.0.0.1:" + std::to_string(running.port) + "/openapi.json";
  return test::run_on_loop(web.get(url)).body;
}

bool has_node_20() {
  const auto asked = test::run_command({"sh", "-c", "node --version"});  // v20.1.0
  return std::atoi(asked.out.substr(std::min<std::size_t>(1, asked.out.size())).c_str()) >= 20;
}

TEST(openapi_lint, finds_nothing_in_what_a_server_says_of_its_tasks) {
  const auto linter =
      std::filesystem::weakly_canonical(QUARQ_TEST_SOURCE_DIR "/../build/redocly/node_modules/.bin/redocly");
  if (!std::filesystem::exists(linter)) {
    if (!has_node_20()) GTEST_SKIP() << "Redocly's linter needs Node 20";
    if (std::getenv("CI") != nullptr) FAIL() << "Redocly's linter is not in build/redocly";
    GTEST_SKIP() << "Redocly's linter is not in build/redocly";
  }
  const auto text = served_description();
  EXPECT_EQ(boost::json::parse(text).at("paths").as_object().size(), 12u);
  const test::temp_dir place;
  test::command_options how;
  how.folder = place.path();
  // It would ask its makers for a newer version, and tell them that it was used.
  how.environment = {"REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true"};
  const auto lint = [&](const std::string& description) {
    const auto file = place.write("openapi.json", description);
    return test::run_command({linter.string(), "lint", "--extends=recommended-strict", file}, how);
  };
  const auto judged = lint(text);
  EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err << text;
  // It does find what is there.
  const auto broken = lint(text.substr(0, text.size() - 1) + ", \"colour\": 1}");
  EXPECT_NE(broken.exit_code, 0);
}

}  // namespace linted
}  // namespace quarq::validation_tests
