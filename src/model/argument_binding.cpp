#include "model/argument_binding.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/utf8.hpp"

namespace quarq::model {
namespace {

[[noreturn]] void fail(const record& r, std::string_view message) {
  throw decode_error(fmt::format("{}: {}", r.task, message));
}

std::string place_of(std::size_t index, const parameters& takes) {
  return fmt::format("argument {} ({})", index + 1, takes.names[index]);
}

std::size_t index_of(const record& r, std::string_view name, const parameters& takes) {
  const auto found = std::ranges::find(takes.names, name);
  if (found == takes.names.end())
    fail(r, fmt::format("there is no parameter \"{}\"; it has {}", codecs::printable(name, 80),
                        fmt::join(takes.names, ", ")));
  return static_cast<std::size_t>(found - takes.names.begin());
}

using places = std::vector<std::string_view>;

/// How many there were.
std::size_t place_by_position(const record& r, places& values) {
  decoder in(r.arguments, r.task);
  const std::size_t given = in.array();
  if (given > values.size())
    fail(r, fmt::format("expected {} argument{}, got {} by position and more by name", values.size(),
                        values.size() == 1 ? "" : "s", given));
  for (std::size_t i = 0; i < given; ++i) values[i] = in.raw();
  return given;
}

void place_by_name(const record& r, const parameters& takes, std::size_t positional, places& values) {
  decoder in(r.keywords, r.task);
  const std::size_t given = in.map();
  for (std::size_t i = 0; i < given; ++i) {
    const std::size_t index = index_of(r, in.text(), takes);
    if (!values[index].empty())
      fail(r, place_of(index, takes) + " is given twice" +
                  (index < positional ? ": by position and by name" : ""));
    values[index] = in.raw();
  }
}

}  // namespace

std::string bind_arguments(const record& r, parameters takes) {
  if (decoder(r.keywords, r.task).map() == 0) return r.arguments;
  if (takes.count == 0) fail(r, "it takes no arguments, but some are given by name");
  if (takes.names.empty())
    fail(r, "arguments can't be given by name: the task is declared without its parameters' names");
  places values(takes.count);
  const std::size_t positional = place_by_position(r, values);
  place_by_name(r, takes, positional, values);
  std::string bound;
  bound.reserve(r.arguments.size() + r.keywords.size());
  encoder out(bound);
  out.array(takes.count);
  for (std::size_t i = 0; i < takes.count; ++i) {
    if (values[i].empty()) fail(r, place_of(i, takes) + " is missing");
    out.raw(values[i]);
  }
  return bound;
}

}  // namespace quarq::model
