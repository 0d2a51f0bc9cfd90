#include "http/websocket/open.hpp"

#include <array>
#include <utility>

#include "http/message/characters.hpp"
#include "http/message/parser.hpp"
#include "http/message/writer.hpp"
#include "http/websocket/handshake.hpp"
#include "http/websocket/websocket_link.hpp"

namespace quarq::http::ws {

namespace {

std::string request_of(const std::string& host, const std::string& target, const fields& own,
                       const fields& more) {
  fields all;
  all.set("Host", host);
  for (const auto field : own) all.add(field.name, field.value);
  // What the handshake itself says can't be said otherwise.
  for (const auto field : more) {
    if (!own.contains(field.name) && !equal_names(field.name, "Host")) all.add(field.name, field.value);
  }
  std::string bytes;
  append_request_header(bytes, "GET", target, all);
  return bytes;
}

// Reads until the header of the answer is there. What came behind it stays in `bytes`.
awaitable<void> read_answer(stream& from, response_parser& parser, std::string& bytes) {
  std::array<char, 2048> space;
  while (true) {
    const auto step = parser.feed(bytes);
    bytes.erase(0, step.used);
    if (step.event == parse_event::failed)
      throw handshake_error("the answer is not HTTP: " + parser.error().what, 0);
    const bool is_interim = parser.status() >= 100 && parser.status() < 200 && parser.status() != 101;
    if (step.event == parse_event::header && !is_interim) co_return;
    if (step.event == parse_event::end) parser.reset();
    if (step.event != parse_event::needs_more) continue;
    const auto size = co_await from.read_some(space);
    if (size == 0) throw handshake_error("the server ended the connection before it answered", 0);
    bytes.append(space.data(), size);
  }
}

}  // namespace

awaitable<websocket> open_websocket(std::unique_ptr<stream> connected, std::string host, std::string target,
                                    fields headers, websocket_options options) {
  const auto key = new_key();
  const auto request = request_of(host, target, upgrade_fields(key, options), headers);
  co_await connected->write(request);
  response_parser parser("GET");
  std::string bytes;
  co_await read_answer(*connected, parser, bytes);
  auto judged = judge_answer(parser.status(), parser.headers(), key, options);
  if (!judged.refused.empty()) throw handshake_error(judged.refused, parser.status());
  auto link =
      websocket_link::start(std::move(connected), bytes, role::client, options, std::move(judged.agreed));
  co_return websocket(std::move(link));
}

}  // namespace quarq::http::ws
