// What the fuzzers of both kinds of message have in common.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/message/parser.hpp"
#include "http/message/writer.hpp"

namespace quarq::fuzz {

/// What a parser said, apart from how the body was cut up.
struct http_reading {
  bool failed = false;
  std::size_t messages = 0;
  std::string said;
};

/// Feeds the bytes in parts of this size.
template <class Parser>
http_reading read_http(Parser&& parser, std::string_view bytes, std::size_t part) {
  http_reading result;
  std::string waiting;
  while (!bytes.empty() && !result.failed) {
    waiting += bytes.substr(0, part);
    bytes.remove_prefix(std::min(part, bytes.size()));
    std::size_t at = 0;
    while (true) {
      const auto step = parser.feed(std::string_view(waiting).substr(at));
      at += step.used;
      if (at > waiting.size()) std::abort();
      if (step.event == http::parse_event::needs_more) break;
      if (step.event == http::parse_event::failed) {
        result.failed = true;
        break;
      }
      if (step.event == http::parse_event::header)
        http::append_response_header(result.said, 200, parser.headers());
      if (step.event == http::parse_event::body) result.said += step.data;
      if (step.event == http::parse_event::end) {
        ++result.messages;
        parser.reset();
      }
    }
    waiting.erase(0, at);
  }
  return result;
}

/// However the bytes arrive, they mean the same.
template <class Make>
void try_http(Make make, std::string_view bytes) {
  const auto whole = read_http(make(), bytes, bytes.size());
  for (const std::size_t part : {std::size_t{1}, std::size_t{3}, std::size_t{17}}) {
    const auto again = read_http(make(), bytes, part);
    if (again.failed != whole.failed || again.messages != whole.messages || again.said != whole.said)
      std::abort();
  }
}

}  // namespace quarq::fuzz
