#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <exception>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include <quarq/debug.hpp>
#include <quarq/detail/pretty_output.hpp>
#include <quarq/msgpack.hpp>

#include "base/text.hpp"
#include "codecs/iso8601.hpp"
#include "codecs/utf8.hpp"
#include "debug/document.hpp"
#include "debug/escape.hpp"
#include "debug/names.hpp"

namespace quarq::detail {

using debug::look;

namespace {

constexpr std::size_t deepest = 100;  // levels are calls of functions, too

std::string_view chars(const char& c) {
  return {&c, 1};
}

template <class Float>
std::string shortest(Float value) {
  char digits[64];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value);
  std::string text(digits, end.ptr);
  const bool looks_whole = text.find_first_not_of("-0123456789") == text.npos;
  return looks_whole ? text + ".0" : text;
}

std::string how_many_bytes(std::size_t count) {
  return fmt::format("... {} more byte{}", count, count == 1 ? "" : "s");
}

/// "ms" of a thousandth of a second.
std::string unit_name(std::intmax_t numerator, std::intmax_t denominator) {
  struct named {
    std::intmax_t numerator, denominator;
    const char* name;
  };
  constexpr named all[] = {{1, 1'000'000'000, "ns"}, {1, 1'000'000, "us"}, {1, 1'000, "ms"}, {1, 1, "s"},
                           {60, 1, "min"},           {3'600, 1, "h"},      {86'400, 1, "d"}};
  for (const named& unit : all)
    if (unit.numerator == numerator && unit.denominator == denominator) return unit.name;
  return denominator == 1 ? fmt::format(" x {} s", numerator)
                          : fmt::format(" x {}/{} s", numerator, denominator);
}

}  // namespace

pretty_output::pretty_output(debug::document& document, const pretty_options& options) noexcept
    : document_(document),
      options_(options),
      max_depth_(std::min(options.max_depth, deepest)),
      values_left_(options.max_values) {}

bool pretty_output::begin_value() {
  if (values_left_ == 0) {
    faint("...");
    return false;
  }
  --values_left_;
  return true;
}

void pretty_output::plain(std::string_view text) {
  document_.text(look::plain, text);
}
void pretty_output::number(std::string_view text) {
  document_.text(look::number, text);
}
void pretty_output::keyword(std::string_view text) {
  document_.text(look::keyword, text);
}
void pretty_output::faint(std::string_view text) {
  document_.text(look::faint, text);
}

void pretty_output::integer(std::int64_t value) {
  number(std::to_string(value));
}
void pretty_output::integer(std::uint64_t value) {
  number(std::to_string(value));
}
void pretty_output::floating(float value) {
  number(std::isfinite(value) ? shortest(value) : std::to_string(value));
}
void pretty_output::floating(double value) {
  number(std::isfinite(value) ? shortest(value) : std::to_string(value));
}
void pretty_output::floating(long double value) {
  number(std::isfinite(value) ? shortest(value) : std::to_string(value));
}

void pretty_output::character(char value) {
  text_in_quotes(chars(value), {}, '\'');
}

void pretty_output::character(char32_t value, std::string_view prefix) {
  text_in_quotes(debug::utf8_of(std::u32string_view(&value, 1)), prefix, '\'');
}

void pretty_output::byte(std::byte value) {
  number(fmt::format("0x{:02x}", std::to_integer<unsigned>(value)));
}

void pretty_output::address(const volatile void* value) {
  faint(fmt::format("{}", const_cast<const void*>(value)));
}

void pretty_output::text_in_quotes(std::string_view text, std::string_view prefix, char quote) {
  const std::size_t shown = codecs::cut_at(text, options_.max_text);
  document_.text(look::text,
                 fmt::format("{}{}{}{}", prefix, quote, debug::escaped(text.substr(0, shown), quote), quote));
  if (shown < text.size()) faint(how_many_bytes(text.size() - shown));
}

void pretty_output::quoted(std::string_view text, std::string_view prefix) {
  text_in_quotes(text, prefix, '"');
}
void pretty_output::quoted(const char8_t* text, std::size_t size) {
  quoted(std::string(text, text + size), "u8");
}
void pretty_output::quoted(const char16_t* text, std::size_t size) {
  quoted(debug::utf8_of(std::u16string_view(text, size)), "u");
}
void pretty_output::quoted(const char32_t* text, std::size_t size) {
  quoted(debug::utf8_of(std::u32string_view(text, size)), "U");
}
void pretty_output::quoted(const wchar_t* text, std::size_t size) {
  quoted(debug::utf8_of(std::u32string(text, text + size)), "L");
}

void pretty_output::c_string(const char* text) {
  // It may be long, or lack its end.
  const std::size_t size = ::strnlen(text, options_.max_text + 1);
  quoted(std::string_view(text, std::min(size, options_.max_text)));
  if (size > options_.max_text) faint("...");
}

void pretty_output::bytes(const std::byte* data, std::size_t size) {
  const std::size_t shown = std::min(size, options_.max_text);
  const std::string_view text(reinterpret_cast<const char*>(data), shown);
  document_.text(look::text, fmt::format("b\"{}\"", debug::escaped_bytes(text)));
  if (shown < size) faint(how_many_bytes(size - shown));
}

void pretty_output::raw(std::string_view text) {
  const std::size_t shown = codecs::cut_at(text, options_.max_text);
  std::string_view rest = text.substr(0, shown);
  while (true) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    plain(debug::escaped(rest.substr(0, end), 0));
    if (end == rest.size()) break;
    document_.line_break();
    rest.remove_prefix(end + 1);
  }
  if (shown < text.size()) faint(how_many_bytes(text.size() - shown));
}

bool pretty_output::open(std::string_view name, char opening, char closing, bool fill) {
  std::string begin(name);
  begin += opening;
  if (depth_ >= max_depth_) {
    plain(begin);
    faint("...");
    plain(chars(closing));
    return false;
  }
  ++depth_;
  document_.open(begin, fill, closing);
  return true;
}

void pretty_output::item() {
  document_.element();
}

void pretty_output::field(std::string_view name) {
  document_.element();
  plain(name);
  plain(": ");
}

void pretty_output::more(std::size_t count) {
  item();
  faint(count == 0 ? "..." : fmt::format("... {} more", count));
}

void pretty_output::close() {
  --depth_;
  document_.close();
}

bool pretty_output::enter() {
  if (depth_ >= max_depth_) {
    faint("...");
    return false;
  }
  ++depth_;
  return true;
}

void pretty_output::enumerator(std::string_view type, const char* name) {
  keyword(fmt::format("{}::{}", debug::unqualified(debug::type_name_of(type)), name));
}

void pretty_output::enumerator(std::string_view type, std::int64_t value) {
  keyword(fmt::format("{}({})", debug::unqualified(debug::type_name_of(type)), value));
}

bool pretty_output::open_object(std::string_view type) {
  return open(debug::unqualified(debug::type_name_of(type)), '{', '}');
}

void pretty_output::unknown(std::string_view type, std::size_t size, const void* place) {
  faint(fmt::format("<{}, {} byte{} at {}>", debug::type_name_of(type), size, size == 1 ? "" : "s", place));
}

void pretty_output::unknown(const std::type_info& type, std::size_t size, const void* place) {
  faint(fmt::format("<{}, {} bytes at {}>", debug::type_name_of(type), size, place));
}

void pretty_output::unit(std::intmax_t numerator, std::intmax_t denominator) {
  number(unit_name(numerator, denominator));
}

void pretty_output::utc_time(std::int64_t count, std::intmax_t numerator, std::intmax_t denominator) {
  __extension__ typedef __int128 wide;
  constexpr wide second = 1'000'000'000;
  const wide nanoseconds = static_cast<wide>(count) * numerator * second / denominator;
  const wide seconds = nanoseconds / second - (nanoseconds % second < 0);
  timestamp moment{};
  moment.seconds = static_cast<std::int64_t>(seconds);
  moment.nanoseconds = static_cast<std::uint32_t>(nanoseconds - seconds * second);
  number(codecs::to_iso8601(moment));
}

void pretty_output::date(int year, unsigned month, unsigned day) {
  number(fmt::format("{:04}-{:02}-{:02}", year, month, day));
}

void pretty_output::error_code(std::string_view category, int value, std::string_view message) {
  plain(category);
  plain(":");
  integer(std::int64_t(value));
  plain(" ");
  quoted(message);
}

void pretty_output::exception(const std::exception& error) {
  if (!open(debug::type_name_of(typeid(error)), '(', ')')) return;
  item();
  quoted(error.what());
  if (const auto* nesting = dynamic_cast<const std::nested_exception*>(&error);
      nesting && nesting->nested_ptr()) {
    field("nested");
    exception(nesting->nested_ptr());
  }
  close();
}

void pretty_output::exception(const std::exception_ptr& error) {
  if (!error) return keyword("nullptr");
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    exception(e);
  } catch (const char* text) {
    c_string(text);
  } catch (const std::string& text) {
    quoted(text);
  } catch (...) {
    // Its type is all that can be known of it.
    keyword(debug::plain_type_name(base::describe_thrown_object().type));
  }
}

void pretty_output::note_of_current_exception() {
  faint("<threw ");
  const std::size_t depth = std::exchange(depth_, 0);
  exception(std::current_exception());
  depth_ = depth;
  faint(">");
}

void pretty_output::streamed(const void* value, void (*write)(std::ostream& out, const void* value)) {
  std::ostringstream out;
  out << std::boolalpha;
  try {
    write(out, value);
  } catch (...) {
    return note_of_current_exception();
  }
  raw(out.view());
}

void pretty_output::formatted(const void* value, void (*append)(std::string& out, const void* value)) {
  std::string text;
  try {
    append(text, value);
  } catch (...) {
    return note_of_current_exception();
  }
  raw(text);
}

void pretty_output::guarded(const void* value, writer write) {
  const auto begin = document_.here();
  const std::size_t depth = depth_;
  try {
    write(*this, value);
  } catch (...) {
    document_.cut(begin);
    depth_ = depth;
    note_of_current_exception();
  }
}

}  // namespace quarq::detail

namespace quarq {

void pretty_writer::text(std::string_view text) {
  out_.raw(text);
}

void pretty_writer::quoted(std::string_view text) {
  out_.quoted(text);
}

}  // namespace quarq
