#include "rpc/input_errors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <quarq/detail/bad_payload.hpp>

namespace quarq::rpc {
namespace {

using path_step = std::variant<std::int64_t, std::string>;

bool skip(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "argument 2 (options)": the name, or the index where the parameters have none.
std::optional<path_step> take_argument(std::string_view& text) {
  auto rest = text;
  if (!skip(rest, "argument ")) return std::nullopt;
  const auto number = take_number(rest);
  if (!number) return std::nullopt;
  path_step step = *number - 1;
  const auto close = rest.find(')');
  if (rest.starts_with(" (") && close != rest.npos) {
    step = std::string(rest.substr(2, close - 2));
    rest.remove_prefix(close + 1);
  }
  text = rest;
  return step;
}

// "to[2].name": what a decoder's scope calls a field.
void append_field(std::vector<path_step>& path, std::string_view text) {
  while (!text.empty()) {
    if (skip(text, "[")) {
      const auto index = take_number(text);
      path.emplace_back(index.value_or(0));
      skip(text, "]");
    } else {
      skip(text, ".");
      const auto name = text.substr(0, text.find_first_of(".["));
      if (name.empty()) break;
      path.emplace_back(std::string(name));
      text.remove_prefix(name.size());
    }
  }
}

std::string kind_of(std::string_view message) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kinds{{
      {"expected string", "string_type"},
      {"expected integer", "int_type"},
      {"expected number", "float_type"},
      {"expected real", "float_type"},
      {"expected boolean", "bool_type"},
      {"expected array", "list_type"},
      {"expected map", "dict_type"},
      {"is missing", "missing"},
      {"is given twice", "multiple_argument_values"},
      {"there is no parameter", "unexpected_keyword_argument"},
      {"argument", "arguments_type"},
  }};
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return message.starts_with(k.first); });
  return std::string(found == kinds.end() ? std::string_view("value_error") : found->second);
}

// From the argument at `place` on.
std::vector<input_error> errors_of_model(const std::vector<model_error>& errors,
                                         const std::vector<path_step>& place) {
  std::vector<input_error> all;
  for (const auto& error : errors) {
    auto& one = all.emplace_back(input_error{error.kind, place, error.message});
    for (const auto& step : error.path) {
      if (const auto* name = std::get_if<std::string>(&step)) {
        one.path.emplace_back(*name);
      } else {
        one.path.emplace_back(static_cast<std::int64_t>(std::get<std::size_t>(step)));
      }
    }
  }
  return all;
}

}  // namespace

std::vector<input_error> input_errors_of(const decode_error& e, std::string_view task) {
  std::string_view rest = e.what();
  if (skip(rest, task)) skip(rest, ": ");
  input_error one;
  if (auto step = take_argument(rest)) {
    one.path.push_back(std::move(*step));
    if (!skip(rest, ": ")) skip(rest, " ");
  }
  if (auto after = rest; skip(after, "field ")) {
    const auto colon = after.find(": ");
    append_field(one.path, after.substr(0, colon));
    rest = colon == after.npos ? std::string_view() : after.substr(colon + 2);
  }
  const auto* payload = dynamic_cast<const quarq::detail::bad_payload*>(&e);
  if (payload && !payload->errors.empty()) return errors_of_model(payload->errors, one.path);
  one.message = rest;
  const bool counts = rest.starts_with("expected ") && rest.find(" argument") != rest.npos;
  one.kind = counts ? "arguments_type" : kind_of(rest);
  return {std::move(one)};
}

}  // namespace quarq::rpc
