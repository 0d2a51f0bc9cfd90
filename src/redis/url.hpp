// URLs of Redis servers, and of whatever else lives in Redis.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "redis/options.hpp"

namespace quarq::redis {

/// How the URLs of something else that lives in Redis differ from those of Redis itself.
struct url_dialect {
  std::string name = "Redis";    ///< in errors
  std::string scheme = "redis";  ///< also with an s for TLS, with +unix, and each with +sentinel
  /// Takes a parameter that Redis' own URLs don't know; returns false if it is not known here either. An
  /// usage_error that it throws becomes part of the error that names the URL.
  std::function<bool(const std::string& name, const std::string& value)> parameter{};
  std::string parameters{};  ///< the ones it knows, for errors: "queue, codec"
};

/// Reads redis://, rediss://, redis+unix://, redis+sentinel:// and rediss+sentinel:// URLs, or those of a
/// dialect. Throws usage_error that names the wrong part, with passwords hidden.
connection_options parse_url(std::string_view url, const url_dialect& dialect);
connection_options parse_url(std::string_view url);

/// The URL as it may be shown: its passwords, if there are any, replaced by ***.
std::string without_password(std::string_view url);

}  // namespace quarq::redis
