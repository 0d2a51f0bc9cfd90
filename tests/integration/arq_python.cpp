#include "integration/arq_python.hpp"

#include <gtest/gtest.h>

namespace quarq::test {

std::string arq_url(const redis_server& server, std::string_view parameters) {
  const auto url = server.url();
  return ("arq" + url.substr(url.find(':'))).append(parameters);
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

redis::reply ask(const redis_server& server, std::vector<std::string> words) {
  auto reply = server.command(words);
  EXPECT_FALSE(reply.is_error()) << reply.text;
  return reply;
}

std::int64_t ask_number(const redis_server& server, std::vector<std::string> words) {
  return ask(server, std::move(words)).integer;
}

std::optional<double> score_of(const redis_server& server, std::string id, std::string queue) {
  const auto reply = ask(server, {"ZSCORE", queue, id});
  if (reply.is_nil()) return std::nullopt;
  return reply.type == redis::reply::kind::real ? reply.real : std::stod(reply.text);
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::string python_payload() {
  return from_hex(
      "8004953c000000000000007d94288c0174944e8c0166948c087468655f7461736b948c0161944b018c01789486948c016b947d"
      "94"
      "680488738c026574948a060068e5cf8b01752e");
}

std::string python_result() {
  return from_hex(
      "8004957d000000000000007d94288c0174944b018c0166948c087468655f7461736b948c0161944b018c01789486948c016b94"
      "7d"
      "94680488738c026574948a060068e5cf8b018c017394888c0172944b2a8c027374948a066468e5cf8b018c026674948a06c868"
      "e5"
      "cf8b018c0171948c096172713a7175657565948c026964948c0369643194752e");
}

void python_enqueue_at(const redis_server& server, std::string id, std::string score, std::string payload,
                       std::string queue) {
  ask(server, {"PSETEX", "arq:job:" + id, "86400000", payload});
  ask(server, {"ZADD", queue, score, id});
}

void python_enqueue(const redis_server& server, std::string id, std::string payload, std::int64_t delay_ms,
                    std::string queue) {
  python_enqueue_at(server, std::move(id), std::to_string(now_ms() + delay_ms), std::move(payload),
                    std::move(queue));
}

void python_start(const redis_server& server, std::string id, std::int64_t timeout_ms) {
  ask(server, {"PSETEX", "arq:in-progress:" + id, std::to_string(timeout_ms), "1"});
  ask(server, {"INCRBY", "arq:retry:" + id, "1"});
  ask(server, {"EXPIRE", "arq:retry:" + id, "88400"});
}

void python_finish(const redis_server& server, std::string id, std::string result) {
  // One transaction in arq. In this order nobody can tell.
  ask(server, {"SET", "arq:result:" + id, result, "PX", "3600000"});
  ask(server, {"ZREM", "arq:queue", id});
  ask(server, {"DEL", "arq:in-progress:" + id, "arq:retry:" + id, "arq:job:" + id});
}

void python_abort(const redis_server& server, std::string id, std::int64_t at_ms) {
  const auto score = score_of(server, id);
  if (score && *score > static_cast<double>(now_ms())) ask(server, {"ZADD", "arq:queue", "1", id});
  ask(server, {"ZADD", "arq:abort", std::to_string(at_ms), id});
}

}  // namespace quarq::test
