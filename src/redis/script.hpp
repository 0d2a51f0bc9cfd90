// Lua scripts that run in the server.
#pragma once

#include <string>
#include <string_view>

namespace quarq::redis {

/// A Lua script, sent as EVALSHA. A connection loads it when the server answers NOSCRIPT.
struct script {
  /// `lua` must outlive the script.
  explicit script(std::string_view lua);
  std::string_view text;
  std::string sha1;  ///< 40 lower-case hex digits
};

}  // namespace quarq::redis
