// The table of docs/http.md says what the options say.
#include <chrono>
#include <fstream>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <quarq/http/client.hpp>
#include <quarq/http/server.hpp>
#include <quarq/http/websocket.hpp>

namespace quarq::http {
namespace {

using defaults = std::map<std::string, std::string>;

std::string cell_of(const std::string& row, std::size_t number) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= number; ++i) begin = row.find("| ", begin) + 2;
  return row.substr(begin, row.find(" |", begin) - begin);
}

// "| client | `timeout` | 30000 ms | ...": "client timeout" and "30000 ms".
defaults documented() {
  std::ifstream file(QUARQ_TEST_SOURCE_DIR "/../docs/http.md");
  defaults rows;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| ") || cell_of(line, 1).front() != '`') continue;
    const auto option = cell_of(line, 1);
    rows[cell_of(line, 0) + " " + option.substr(1, option.size() - 2)] = cell_of(line, 2);
  }
  return rows;
}

std::string ms(std::chrono::milliseconds time) {
  return fmt::format("{} ms", time.count());
}
std::string bytes(std::uint64_t size) {
  return fmt::format("{} bytes", size);
}

defaults of_client() {
  const client_options o;
  return {
      {"client timeout", ms(o.timeout)},
      {"client max_silence", ms(o.max_silence)},
      {"client max_connections", fmt::to_string(o.max_connections)},
      {"client max_connections_per_host", fmt::to_string(o.max_connections_per_host)},
      {"client max_idle", ms(o.max_idle)},
      {"client max_redirects", fmt::to_string(o.max_redirects)},
      {"client max_body", bytes(o.max_body)},
      {"client decompress", fmt::to_string(o.decompress)},
      {"client retries.max_attempts", fmt::to_string(o.retries.max_attempts)},
      {"client retries.first_pause", ms(o.retries.first_pause)},
      {"client retries.max_pause", ms(o.retries.max_pause)},
      {"client cookies", fmt::to_string(o.cookies)},
      {"client environment_proxy", fmt::to_string(o.environment_proxy)},
      {"client verify_tls", fmt::to_string(o.verify_tls)},
      {"client user_agent", o.user_agent},
  };
}

defaults of_server() {
  const server_options o;
  return {
      {"server address", o.address},
      {"server port", fmt::to_string(o.port)},
      {"server threads", fmt::to_string(o.threads)},
      {"server max_connections", fmt::to_string(o.max_connections)},
      {"server max_in_flight", fmt::format("{} requests", o.max_in_flight)},
      {"server max_request_line", bytes(o.max_request_line)},
      {"server max_field", bytes(o.max_field)},
      {"server max_fields", fmt::to_string(o.max_fields)},
      {"server max_header", bytes(o.max_header)},
      {"server max_body", bytes(o.max_body)},
      {"server max_pipelined", fmt::format("{} answers", o.max_pipelined)},
      {"server header_timeout", ms(o.header_timeout)},
      {"server idle_timeout", ms(o.idle_timeout)},
      {"server body_timeout", ms(o.body_timeout) + ", and 1000 ms more for each 240 bytes"},
      {"server write_timeout", ms(o.write_timeout)},
      {"server shutdown_timeout", ms(o.shutdown_timeout)},
  };
}

defaults of_websocket() {
  const websocket_options o;
  return {
      {"websocket max_message", bytes(o.max_message)},
      {"websocket max_fragments", fmt::to_string(o.max_fragments)},
      {"websocket ping_interval", ms(o.ping_interval)},
      {"websocket idle_timeout", ms(o.idle_timeout)},
      {"websocket close_timeout", ms(o.close_timeout)},
      {"websocket send_mark", bytes(o.send_mark)},
      {"websocket compression", o.compression ? "on" : "off"},
      {"websocket subprotocols", o.subprotocols.empty() ? "none" : std::string(o.subprotocols)},
      {"websocket origins", o.origins.empty() ? "the server itself" : std::string(o.origins)},
  };
}

TEST(http_defaults, are_as_documented) {
  defaults expected;
  for (auto& part : {of_client(), of_server(), of_websocket()}) expected.insert(part.begin(), part.end());
  EXPECT_EQ(documented(), expected);
}

}  // namespace
}  // namespace quarq::http
