// What Redis says, for the tests of those who read it.
#pragma once

#include <string>
#include <utility>

#include "wire/resp.hpp"

namespace quarq::net {

inline wire::reply text(std::string content) {
  wire::reply r;
  r.type = wire::reply::kind::text;
  r.text = std::move(content);
  return r;
}

inline wire::reply error_reply(std::string content) {
  auto r = text(std::move(content));
  r.type = wire::reply::kind::error;
  return r;
}

}  // namespace quarq::net
