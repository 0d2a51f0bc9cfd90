// Writes one JSON object, member by member, as text.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace quarq::workers {

/// A string of JSON. Bytes that are not UTF-8 become U+FFFD; what is longer than `limit` bytes is cut and ends
/// in an ellipsis.
std::string json_string(std::string_view text, std::size_t limit = std::string_view::npos);

class json_members {
 public:
  json_members& text(std::string_view key, std::string_view value,
                     std::size_t limit = std::string_view::npos) {
    return raw(key, json_string(value, limit));
  }
  template <class Integer>
    requires std::is_integral_v<Integer>
  json_members& number(std::string_view key, Integer value) {
    return raw(key, std::to_string(value));
  }
  /// Milliseconds, with three decimals; at least 0.
  json_members& ms(std::string_view key, std::chrono::microseconds value);
  /// The first 100 of them.
  json_members& texts(std::string_view key, std::span<const std::string> values);
  /// `value` is JSON.
  json_members& raw(std::string_view key, std::string_view value);

  std::string object() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace quarq::workers
