// What Redis says, for the tests of those who read it.
#pragma once

#include <string>
#include <utility>

#include "redis/resp.hpp"

namespace quarq::redis {

inline redis::reply text(std::string content) {
  redis::reply r;
  r.type = redis::reply::kind::text;
  r.text = std::move(content);
  return r;
}

inline redis::reply error_reply(std::string content) {
  auto r = text(std::move(content));
  r.type = redis::reply::kind::error;
  return r;
}

}  // namespace quarq::redis
