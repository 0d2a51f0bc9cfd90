#include "debug/report.hpp"

#include <cerrno>
#include <climits>
#include <mutex>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include <quarq/debug.hpp>

#include "debug/names.hpp"
#include "debug/split_arguments.hpp"
#include "debug/terminal.hpp"

namespace quarq::debug {
namespace {

std::string size_text(const detail::debug_argument& argument) {
  using unit = detail::debug_argument::unit;
  std::size_t size = argument.size;
  bool in_elements = false;
  try {
    if (argument.count) size = argument.count(argument.value);
    in_elements = argument.counted == unit::elements;
  } catch (...) {
    // A range that can't be read has a size of its own all the same.
  }
  return fmt::format("{} {}{}", size, in_elements ? "element" : "byte", size == 1 ? "" : "s");
}

/// A literal says what it is.
bool is_text_literal(std::string_view expression) {
  return expression.size() >= 2 && expression.front() == '"' &&
         expression.find('"', 1) == expression.size() - 1;
}

void write_argument(document& out, std::string_view expression, const detail::debug_argument& argument,
                    const pretty_options& options) {
  detail::pretty_output values(out, options);
  if (is_text_literal(expression)) return values.guarded(argument.value, argument.write);
  out.text(look::name, expression.substr(0, options.max_text));
  out.text(look::plain, " = ");
  values.guarded(argument.value, argument.write);
  out.space_or_break();
  out.text(look::faint, fmt::format("({}, {})", type_name_of(argument.type), size_text(argument)));
}

constinit std::mutex of_options;
constinit debug_options current_options;

}  // namespace

std::string_view relative_to(std::string_view file, std::string_view folder) noexcept {
  if (folder.size() > 1 && file.starts_with(folder) && file.substr(folder.size()).starts_with('/'))
    return file.substr(folder.size() + 1);
  return file;
}

std::string report(const place& where, std::string_view expressions,
                   std::span<const detail::debug_argument> arguments, const pretty_options& options,
                   bool in_colour) {
  document out;
  out.text(look::place, fmt::format("{}:{}", where.file, where.line));
  const auto function = function_name_of(where.function);
  if (!function.empty()) out.text(look::plain, " " + function);
  const auto parts = split_arguments(expressions, arguments.size());
  if (!arguments.empty()) out.open_block();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) out.line_break();
    // What could not be split stands in front of all.
    const auto number = "#" + std::to_string(i + 1);
    if (parts.empty() && i == 0) {
      out.text(look::name, expressions);
      out.line_break();
    }
    write_argument(out, parts.empty() ? number : parts[i], arguments[i], options);
  }
  if (!arguments.empty()) out.close_block();
  return lay_out(out, {options.width, options.indent, in_colour}) + "\n";
}

}  // namespace quarq::debug

namespace quarq {

void set_debug_options(const debug_options& options) {
  const std::lock_guard lock(debug::of_options);
  debug::current_options = options;
}

debug_options get_debug_options() {
  const std::lock_guard lock(debug::of_options);
  return debug::current_options;
}

namespace detail {

std::string format_pretty(const pretty_options& options, const void* value, pretty_output::writer write) {
  debug::document out;
  pretty_output(out, options).guarded(value, write);
  const std::size_t width = options.width == 0 ? debug::terminal_width(2) : options.width;
  return debug::lay_out(out,
                        {width, options.indent, debug::wants_colours(options.colour, debug::facts_of(2))});
}

void print_debug(const std::source_location& place, const char* expressions, const debug_argument* arguments,
                 std::size_t count) noexcept {
  const int before = errno;
  try {
    const auto [format, file] = get_debug_options();
    auto options = format;
    if (options.width == 0) options.width = debug::terminal_width(file);
    const bool in_colour = debug::wants_colours(options.colour, debug::facts_of(file));
    char folder[PATH_MAX];
    const std::string_view here = ::getcwd(folder, sizeof folder) ? folder : "";
    errno = before;  // which may be what is shown
    const auto text =
        debug::report({debug::relative_to(place.file_name(), here), place.line(), place.function_name()},
                      expressions, {arguments, count}, options, in_colour);
    debug::write_whole(file, text);
  } catch (...) {
    // No memory is left: better nothing than an end of the program here.
  }
  errno = before;
}

}  // namespace detail
}  // namespace quarq
