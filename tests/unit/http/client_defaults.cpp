#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include <quarq/http/client.hpp>

namespace quarq::http {
namespace {

// The table of docs/http_client.md: option and default.
std::map<std::string, std::string> documented_defaults() {
  std::ifstream file(QUARQ_TEST_SOURCE_DIR "/../docs/http_client.md");
  std::map<std::string, std::string> rows;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    const auto name_end = line.find('`', 3);
    const auto value = line.find("| ", name_end) + 2;
    rows[line.substr(3, name_end - 3)] = line.substr(value, line.find(" |", value) - value);
  }
  return rows;
}

std::string milliseconds_text(std::chrono::milliseconds value) {
  return std::to_string(value.count()) + " ms";
}

TEST(http_client_defaults, are_as_documented) {
  const client_options defaults;
  const auto text = [](bool value) { return std::string(value ? "true" : "false"); };
  const std::map<std::string, std::string> expected{
      {"timeout", milliseconds_text(defaults.timeout)},
      {"max_silence", milliseconds_text(defaults.max_silence)},
      {"max_connections", std::to_string(defaults.max_connections)},
      {"max_connections_per_host", std::to_string(defaults.max_connections_per_host)},
      {"max_idle", milliseconds_text(defaults.max_idle)},
      {"max_redirects", std::to_string(defaults.max_redirects)},
      {"max_body", std::to_string(defaults.max_body) + " bytes"},
      {"decompress", text(defaults.decompress)},
      {"retries.max_attempts", std::to_string(defaults.retries.max_attempts)},
      {"retries.first_pause", milliseconds_text(defaults.retries.first_pause)},
      {"retries.max_pause", milliseconds_text(defaults.retries.max_pause)},
      {"cookies", text(defaults.cookies)},
      {"environment_proxy", text(defaults.environment_proxy)},
      {"verify_tls", text(defaults.verify_tls)},
      {"user_agent", defaults.user_agent},
  };
  EXPECT_EQ(documented_defaults(), expected);
}

}  // namespace
}  // namespace quarq::http
