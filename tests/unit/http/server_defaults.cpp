// The table of defaults in docs/http_server.md says what server_options says.
#include <fstream>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <quarq/http/server.hpp>

namespace quarq::http {
namespace {

// "| `name` | value ..." of the part with this heading.
std::map<std::string, std::string> table_of_defaults() {
  std::ifstream file(QUARQ_TEST_SOURCE_DIR "/../docs/http_server.md");
  std::map<std::string, std::string> rows;
  bool is_here = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) is_here = line == "## Defaults";
    if (!is_here || !line.starts_with("| `")) continue;
    const auto end = line.find("` | ");
    const auto value_end = line.find(" |", end + 4);
    rows[line.substr(3, end - 3)] = line.substr(end + 4, value_end - end - 4);
  }
  return rows;
}

TEST(http_server_defaults, are_as_documented) {
  const server_options o;
  auto rows = table_of_defaults();
  const auto check = [&](const std::string& name, const std::string& value) {
    EXPECT_TRUE(rows[name] == value || rows[name].starts_with(value + " ") ||
                rows[name].starts_with(value + ","))
        << name << ": " << rows[name];
    rows.erase(name);
  };
  const auto ms = [](std::chrono::milliseconds time) { return fmt::format("{} ms", time.count()); };
  check("address", o.address);
  check("port", std::to_string(o.port));
  check("max_connections", std::to_string(o.max_connections));
  check("max_in_flight", std::to_string(o.max_in_flight));
  check("max_request_line", std::to_string(o.max_request_line));
  check("max_field", std::to_string(o.max_field));
  check("max_fields", std::to_string(o.max_fields));
  check("max_header", std::to_string(o.max_header));
  check("max_body", std::to_string(o.max_body));
  check("max_pipelined", std::to_string(o.max_pipelined));
  check("header_timeout", ms(o.header_timeout));
  check("idle_timeout", ms(o.idle_timeout));
  check("body_timeout", ms(o.body_timeout));
  check("write_timeout", ms(o.write_timeout));
  check("shutdown_timeout", ms(o.shutdown_timeout));
  EXPECT_TRUE(rows.empty()) << rows.begin()->first;
}

}  // namespace
}  // namespace quarq::http
