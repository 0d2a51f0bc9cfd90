#include "rpc/wire.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <quarq/msgpack.hpp>

#include "base/text.hpp"
#include "codecs/json.hpp"
#include "http/message/characters.hpp"
#include "model/argument_binding.hpp"

namespace quarq::rpc {
namespace {

constexpr std::int64_t max_timeout = 9'999'999'999;

std::optional<std::int64_t> parse_number(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || failure != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

}  // namespace

std::string_view content_type_of(encoding e) noexcept {
  return e == encoding::json ? "application/json" : "application/msgpack";
}

std::optional<encoding> encoding_of(std::string_view content_type) noexcept {
  const auto type = base::trimmed(content_type.substr(0, content_type.find(';')));
  if (type.empty() || http::equal_names(type, "application/json")) return encoding::json;
  for (const std::string_view name :
       {"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"}) {
    if (http::equal_names(type, name)) return encoding::msgpack;
  }
  return std::nullopt;
}

std::optional<milliseconds> parse_timeout(std::string_view text) noexcept {
  if (text.size() > 10) return std::nullopt;
  const auto value = parse_number(text);
  if (!value) return std::nullopt;
  return milliseconds(*value);
}

std::string timeout_text(milliseconds left) {
  return std::to_string(std::clamp<std::int64_t>(left.count(), 0, max_timeout));
}

int parse_attempt(std::string_view text) noexcept {
  const auto value = parse_number(text);
  return value && *value >= 1 && *value <= 1'000'000 ? static_cast<int>(*value) : 1;
}

std::string value_of(encoding e, std::string_view body) {
  try {
    if (e == encoding::json) return codecs::json_to_msgpack(body);
    decoder in(body, "msgpack");
    in.skip();
    in.finish();
    return std::string(body);
  } catch (const decode_error& error) {
    throw syntax_error(error.what());
  }
}

std::string arguments_of(std::string_view task, encoding e, std::string_view body, parameter_list declared) {
  constexpr std::string_view no_arguments = "\x90";
  if (body.empty()) return std::string(no_arguments);
  auto value = value_of(e, body);
  const auto type = decoder(value).peek();
  if (type == value_type::array) return value;
  if (type != value_type::map) {
    throw decode_error(std::string(task) +
                       ": expected the arguments as an array, or as an object with the parameters' names");
  }
  model::record given;
  given.task = task;
  given.arguments = no_arguments;
  given.keywords = std::move(value);
  auto bound = model::bind_arguments(given, {declared.count, declared.names});
  return bound;
}

http::response answer_with(encoding e, std::string result) {
  return http::response(200, e == encoding::json ? codecs::to_json(result) : std::move(result),
                        content_type_of(e));
}

}  // namespace quarq::rpc
