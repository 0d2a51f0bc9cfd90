// Replies of Redis, and commands to it, for the tests of what reads and writes them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "redis/resp.hpp"

namespace quarq::redis {

inline reply text(std::string content) {
  reply r;
  r.type = reply::kind::text;
  r.text = std::move(content);
  return r;
}

inline reply error_reply(std::string content) {
  auto r = text(std::move(content));
  r.type = reply::kind::error;
  return r;
}

/// A push of three, such as {"message", "channel", "text"}.
inline reply push(std::string what, std::string channel = {}, std::string content = {}) {
  reply r;
  r.type = reply::kind::push;
  r.items.push_back(text(std::move(what)));
  r.items.push_back(text(std::move(channel)));
  r.items.push_back(text(std::move(content)));
  return r;
}

/// The reply to ROLE.
inline reply role(std::string name) {
  reply r;
  r.type = reply::kind::array;
  r.items.push_back(text(std::move(name)));
  return r;
}

/// The commands in these bytes: "HELLO 3 | PING".
inline std::string commands_in(std::string_view bytes) {
  resp_parser parser;
  parser.feed(bytes);
  reply r;
  std::string all;
  while (parser.next(r)) {
    if (!all.empty()) all += " | ";
    std::string command;
    for (const auto& arg : r.items) command += (command.empty() ? "" : " ") + arg.text;
    all += command;
  }
  return all;
}

}  // namespace quarq::redis
