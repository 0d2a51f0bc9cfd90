// Writes to the standard output and the standard error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "cli/table.hpp"
#include "cli/text.hpp"
#include "codecs/json_text.hpp"

namespace quarq::cli {

/// To the standard output, unchanged. Once its reader is gone, does nothing.
void print(std::string_view text);
/// One line, made terminal_safe.
void print_line(std::string_view text);
/// A table as wide as the terminal.
void print_table(const table& rows);
/// "quarq: TEXT", one line, to the standard error.
void complain(std::string_view text);
/// Flushes the output. False, after an error message, if it could not be written (a full disk).
bool finish_output();
/// False once the reader of a pipe is gone, for what would go on without end.
bool output_is_read();

using codecs::json_string;
/// Values that are JSON already.
std::string json_array(const std::vector<std::string>& values);

/// A JSON object, written member by member.
class json_object {
 public:
  json_object& text(std::string_view key, std::string_view value) { return json(key, json_string(value)); }
  /// null if empty.
  json_object& text_or_null(std::string_view key, std::string_view value);
  template <class Integer>
    requires std::is_integral_v<Integer>
  json_object& number(std::string_view key, Integer value) {
    return json(key, std::to_string(value));
  }
  json_object& boolean(std::string_view key, bool value) { return json(key, value ? "true" : "false"); }
  json_object& time(std::string_view key, const std::optional<time_point>& value);
  /// A value that is JSON already; null if empty.
  json_object& json(std::string_view key, std::string_view value);

  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace quarq::cli
