// Texts without the blanks around them; durations and types as text for logs and errors.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>

namespace quarq::base {

inline constexpr std::string_view white_space = " \t\r\n";

/// Without what is of `blanks` at its begin and its end.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = " \t") noexcept {
  // A loop that the compiler unrolls: find() would be a call for each character.
  const auto is_blank = [blanks](char c) {
    for (const char blank : blanks) {
      if (c == blank) return true;
    }
    return false;
  };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// "480 us", "35 ms", "1.2 s", "5 min": two or three digits and a unit.
std::string human_duration(std::chrono::microseconds d);

/// "add, greet, tidy": as many of the names as fit into about 300 bytes, and how many there are besides.
std::string listed(std::span<const std::string> names);

/// The C++ name of a type, demangled.
std::string type_name(const std::type_info& type);

/// Something that was thrown and is not a std::exception.
struct thrown_object {
  std::string type;  ///< "int"; "unknown" if the runtime can't tell
  std::string text;  ///< of a string what it says; else a sentence that names the type
};

/// The object that is being handled; only inside a `catch (...)`.
thrown_object describe_thrown_object();

}  // namespace quarq::base
