// Looking at values while a program runs: QUARQ_DEBUG(a, b.c, f(x)) prints where it stands, and what each of
// its arguments is. docs/debug.md shows how each kind of value looks.
#pragma once

#include <cstddef>
#include <source_location>
#include <string>
#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

enum class colours {
  automatic,  ///< if the output is a terminal, NO_COLOR is unset or empty, and TERM is not "dumb"
  always,
  never,
};

/// How values are written.
struct pretty_options {
  /// Columns of a line. What does not fit is broken over lines; a single text or number never is. 0: as many
  /// as the terminal on the standard error has, or 100.
  std::size_t width = 100;
  /// Columns by which each level is indented.
  std::size_t indent = 4;
  /// Of each container so many are shown, and then how many there are besides.
  std::size_t max_elements = 100;
  /// Levels of containers, structs and pointers; what is deeper is "...". At most 100. It ends cycles.
  std::size_t max_depth = 8;
  /// Bytes of each text; then how many there are besides.
  std::size_t max_text = 1'000;
  /// Values in all, so that little is printed of what is deep and wide; the rest is "...".
  std::size_t max_values = 10'000;
  /// Whether to show what raw pointers point to. Pointers to char are then read as C strings. Smart pointers
  /// are always followed. A raw pointer that is neither null nor valid crashes the program.
  bool follow_pointers = true;
  colours colour = colours::never;
};

namespace detail {
class pretty_output;
struct with_fmt;
struct without_fmt;
// Only a program that includes fmt before this header shows values by fmt's formatters. The functions that
// differ have this as a parameter, so that files with and without fmt can be linked.
#ifdef FMT_VERSION
using formatting = with_fmt;
#else
using formatting = without_fmt;
#endif
}  // namespace detail

/// `value` as text, as QUARQ_DEBUG shows it, without a line break at its end. What throws while it is shown
/// (an operator<<, say) is shown as `<threw ...>`. Throws std::bad_alloc only. Thread safety: that of reading
/// `value`.
template <class T, class Formatting = detail::formatting>
std::string format_pretty(const T& value, const pretty_options& options = {});

/// What QUARQ_DEBUG and quarq::debug_timer do.
struct debug_options {
  pretty_options format{.width = 0, .colour = colours::automatic};
  /// The descriptor to write to: the standard error. The caller keeps ownership of it.
  int file = 2;
};

/// From now on, in all threads. Thread safety: may be called at any time, from any thread.
void set_debug_options(const debug_options& options);
debug_options get_debug_options();

/// Prints the file, line and function, and then each argument in a line or more: its expression, value, type
/// and size (a container's number of elements, a text's bytes, of others the sizeof). Nothing else of the
/// program is changed, errno included.
///     int n = QUARQ_DEBUG(words.size(), count(words));
/// Its value is the last argument: an lvalue stays an lvalue, a temporary is returned by value (moved), or as
/// an rvalue reference if its type can't be moved. Each argument is evaluated once, from left to right.
/// QUARQ_DEBUG() prints the place only. In constant expressions it prints nothing. A call is one write, so
/// lines of threads do not mix. Thread safety: may be used by any thread; the arguments are read.
///
/// With QUARQ_NO_DEBUG defined before this header, it prints nothing and is the same value in the same
/// category. The arguments are still evaluated, all of them: what a program does must not depend on what it
/// prints.
///
/// It can't wrap `co_await` (await first, as docs/gcc12.md says), bit-fields, or an expression of type void.
#ifdef QUARQ_NO_DEBUG
#define QUARQ_DEBUG(...)                                                        \
  __VA_OPT__(::quarq::detail::last_of<QUARQ_DETAIL_IS_REFERENCE(__VA_ARGS__)>)( \
      ::quarq::detail::silent_call{__VA_ARGS__})
#else
#define QUARQ_DEBUG(...)                                                       \
  __VA_OPT__(::quarq::detail::last_of<QUARQ_DETAIL_IS_REFERENCE(__VA_ARGS__)>) \
  (::quarq::detail::debug_call{::std::source_location::current(), #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__})
#endif

/// Hides the values of a type: `<hidden>` is shown wherever one is, in containers and structs too.
///     template <>
///     inline constexpr bool quarq::debug_hidden<password> = true;
/// It must stand before the first use, and wins over everything else. Not hidden is what the caller writes
/// into QUARQ_DEBUG(...), as that is the text of an expression.
template <class T>
inline constexpr bool debug_hidden = false;

/// How values of T are shown; specialise it for your own types:
///     template <>
///     struct quarq::pretty_printer<money> {
///       static void print(quarq::pretty_writer& out, const money& m) {
///         out.object("money", "amount", m.amount, "currency", m.currency);
///       }
///     };
/// before its first use. It takes precedence over quarq's own, operator<< and fmt's formatter.
template <class T>
struct pretty_printer;

/// What a pretty_printer writes to. It must write something; of several values that it writes, one stands
/// directly after the other. Thread safety: one thread.
class pretty_writer {
 public:
  explicit pretty_writer(detail::pretty_output& out) noexcept : out_(out) {}
  pretty_writer(const pretty_writer&) = delete;
  pretty_writer& operator=(const pretty_writer&) = delete;

  /// Any value, in its usual form.
  template <class T, class Formatting = detail::formatting>
  void value(const T& value);
  /// As it is, without quotes. Line breaks are kept; other control characters are escaped.
  void text(std::string_view text);
  /// In quotes, with escapes.
  void quoted(std::string_view text);
  /// name{field: value, field: value}: each field is its name, a text, and then its value.
  template <class Formatting = detail::formatting, class... Fields>
  void object(std::string_view name, const Fields&... fields);

 private:
  detail::pretty_output& out_;
};

}  // namespace quarq

#include <quarq/detail/debug_call.hpp>
#include <quarq/detail/pretty_show.hpp>
