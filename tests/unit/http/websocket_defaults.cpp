// The table of options in docs/http_websocket.md says what websocket_options says.
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include <quarq/http/websocket.hpp>

namespace quarq::http::ws {
namespace {

// "| `name` | default | ..." of the part "Options".
std::map<std::string, std::string> documented_options() {
  std::ifstream file(QUARQ_TEST_SOURCE_DIR "/../docs/http_websocket.md");
  std::map<std::string, std::string> rows;
  bool is_here = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) is_here = line == "## Options";
    if (!is_here || !line.starts_with("| `")) continue;
    const auto end = line.find("` | ");
    const auto value_end = line.find(" |", end + 4);
    rows[line.substr(3, end - 3)] = line.substr(end + 4, value_end - end - 4);
  }
  return rows;
}

TEST(websocket_defaults, are_as_documented) {
  const websocket_options o;
  const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; };
  const auto bytes = [](std::size_t size) { return std::to_string(size) + " bytes"; };
  const std::map<std::string, std::string> expected{
      {"max_message", bytes(o.max_message)},
      {"max_fragments", std::to_string(o.max_fragments)},
      {"ping_interval", ms(o.ping_interval)},
      {"idle_timeout", ms(o.idle_timeout)},
      {"close_timeout", ms(o.close_timeout)},
      {"send_mark", bytes(o.send_mark)},
      {"compression", o.compression ? "on" : "off"},
      {"subprotocols", o.subprotocols.empty() ? "none" : ""},
      {"origins", o.origins.empty() ? "the server itself" : ""},
  };
  EXPECT_EQ(documented_options(), expected);
}

}  // namespace
}  // namespace quarq::http::ws
