// What pretty-printed values are written to: everything about them that does not depend on their types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iosfwd>
#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {
struct pretty_options;
namespace debug {
class document;
}
}  // namespace quarq

namespace quarq::detail {

/// Takes the values of one document. Keeps the limits. Between open() and close() each element begins with
/// item() or field(); whatever else is written follows directly.
class pretty_output {
 public:
  using writer = void (*)(pretty_output& out, const void* value);

  pretty_output(debug::document& document, const pretty_options& options) noexcept;

  const pretty_options& options() const noexcept { return options_; }
  /// Must begin each value. False: there were too many, and "..." stands in its place.
  bool begin_value();
  bool is_exhausted() const noexcept { return values_left_ == 0; }

  void plain(std::string_view text);
  void number(std::string_view text);
  void keyword(std::string_view text);
  void faint(std::string_view text);
  void hidden() { keyword("<hidden>"); }

  void boolean(bool value) { keyword(value ? "true" : "false"); }
  void integer(std::int64_t value);
  void integer(std::uint64_t value);
  void floating(float value);
  void floating(double value);
  void floating(long double value);
  void character(char value);
  void character(char32_t value, std::string_view prefix);
  void byte(std::byte value);
  void address(const volatile void* value);

  void quoted(std::string_view text, std::string_view prefix = {});
  void quoted(const char8_t* text, std::size_t size);
  void quoted(const char16_t* text, std::size_t size);
  void quoted(const char32_t* text, std::size_t size);
  void quoted(const wchar_t* text, std::size_t size);
  void c_string(const char* text);
  void bytes(const std::byte* data, std::size_t size);
  /// Unquoted text of any lines.
  void raw(std::string_view text);

  /// One level deeper. False: that is too deep, and "{...}" was written. `fill`: as many elements stand in a
  /// line as fit, if there are several lines.
  bool open(std::string_view name, char opening, char closing, bool fill = false);
  void item();
  void field(std::string_view name);
  /// Instead of elements that are not shown; 0: nobody knows how many.
  void more(std::size_t count);
  void close();
  /// Follows a pointer one level deeper. False as above. REQUIRES: leave() afterwards.
  bool enter();
  void leave() noexcept { --depth_; }

  /// The types as type_text() has them.
  void enumerator(std::string_view type, const char* name);
  void enumerator(std::string_view type, std::int64_t value);
  bool open_object(std::string_view type);
  void unknown(std::string_view type, std::size_t size, const void* place);
  void unknown(const std::type_info& type, std::size_t size, const void* place);

  /// "ms" for 1/1000.
  void unit(std::intmax_t numerator, std::intmax_t denominator);
  /// So many units since 1970; a unit is numerator/denominator seconds.
  void utc_time(std::int64_t count, std::intmax_t numerator, std::intmax_t denominator);
  void date(int year, unsigned month, unsigned day);
  void error_code(std::string_view category, int value, std::string_view message);
  void exception(const std::exception& error);
  void exception(const std::exception_ptr& error);

  /// What these write; if they throw, a note of that alone.
  void streamed(const void* value, void (*write)(std::ostream& out, const void* value));
  void formatted(const void* value, void (*append)(std::string& out, const void* value));
  void guarded(const void* value, writer write);

 private:
  void text_in_quotes(std::string_view text, std::string_view prefix, char quote);
  void note_of_current_exception();

  debug::document& document_;
  const pretty_options& options_;
  std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::size_t values_left_;
};

/// A type's name as the compiler writes it, in a signature.
template <class T>
constexpr std::string_view type_text() {
  return __PRETTY_FUNCTION__;
}

/// The document of one value.
std::string format_pretty(const pretty_options& options, const void* value, pretty_output::writer write);

/// An argument of QUARQ_DEBUG.
struct debug_argument {
  enum class unit { bytes, elements };
  const void* value;
  pretty_output::writer write;
  std::string_view type;
  std::size_t size;                                   ///< in bytes
  std::size_t (*count)(const void* value) = nullptr;  ///< what is shown in its place
  unit counted = unit::bytes;
};

/// `expressions` as the macro got them. Throws nothing; what can't be printed is not.
void print_debug(const std::source_location& place, const char* expressions, const debug_argument* arguments,
                 std::size_t count) noexcept;

}  // namespace quarq::detail
