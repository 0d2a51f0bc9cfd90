// Lua scripts put together from files.
#pragma once

#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// A text that scripts share: {name, text}.
using script_part = std::pair<std::string_view, std::string_view>;

/// The scripts of one broker. Derive from it, with a member for each script: `const script& claim =
/// add(claim_lua);`.
class script_set {
 public:
  using script = quarq::redis::script;

  script_set(const script_set&) = delete;
  script_set& operator=(const script_set&) = delete;

 protected:
  /// `shared`: the parts that these scripts share, besides those of this folder (shared_*.lua), which all
  /// have.
  script_set(std::initializer_list<script_part> shared);
  ~script_set() = default;

  /// The script with the parts that it names in lines "-- needs: NAME NAME" pasted after each such line. It
  /// knows the limits of byte_limits.hpp by their names. Throws std::out_of_range for an unknown name.
  const script& add(std::string_view text);

 private:
  std::vector<script_part> parts_;
  std::deque<std::string> texts_;  // a redis_script only views its text
  std::deque<script> scripts_;
};

}  // namespace quarq::broker::redis_common
