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

std::string place_of(std::size_t index, const parameters& declared) {
  return fmt::format("argument {} ({})", index + 1, declared.names[index]);
}

std::size_t index_of(const record& r, std::string_view name, const parameters& declared) {
  const auto found = std::ranges::find(declared.names, name);
  if (found == declared.names.end())
    fail(r, fmt::format("there is no parameter \"{}\"; it has {}", codecs::printable(name, 80),
                        fmt::join(declared.names, ", ")));
  return static_cast<std::size_t>(found - declared.names.begin());
}

// The encoded arguments in the order of the parameters; empty where none is bound yet.
using bound_values = std::vector<std::string_view>;

// Returns how many there were.
std::size_t bind_by_position(const record& r, bound_values& values) {
  decoder in(r.arguments, r.task);
  const std::size_t given = in.array();
  if (given > values.size())
    fail(r, fmt::format("expected {} argument{}, got {} by position and more by name", values.size(),
                        values.size() == 1 ? "" : "s", given));
  for (std::size_t i = 0; i < given; ++i) values[i] = in.raw();
  return given;
}

void bind_by_name(const record& r, const parameters& declared, std::size_t positional, bound_values& values) {
  decoder in(r.keywords, r.task);
  const std::size_t given = in.map();
  for (std::size_t i = 0; i < given; ++i) {
    const std::size_t index = index_of(r, in.text(), declared);
    if (!values[index].empty())
      fail(r, place_of(index, declared) + " is given twice" +
                  (index < positional ? ": by position and by name" : ""));
    values[index] = in.raw();
  }
}

}  // namespace

std::string bind_arguments(const record& r, parameters declared) {
  if (decoder(r.keywords, r.task).map() == 0) return r.arguments;
  if (declared.count == 0) fail(r, "it takes no arguments, but some are given by name");
  if (declared.names.empty())
    fail(r, "arguments can't be given by name: the task is declared without its parameters' names");
  bound_values values(declared.count);
  const std::size_t positional = bind_by_position(r, values);
  bind_by_name(r, declared, positional, values);
  std::string bound;
  bound.reserve(r.arguments.size() + r.keywords.size());
  encoder out(bound);
  out.array(declared.count);
  for (std::size_t i = 0; i < declared.count; ++i) {
    if (values[i].empty()) fail(r, place_of(i, declared) + " is missing");
    out.raw(values[i]);
  }
  return bound;
}

}  // namespace quarq::model
