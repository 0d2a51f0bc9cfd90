// What Redis says, for the tests of those who read it.
#pragma once

#include <string>
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

}  // namespace quarq::redis
