// What a call and its answer look like as HTTP messages, apart from errors (rpc/failure.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <quarq/errors.hpp>
#include <quarq/http/response.hpp>

#include "model/trace_context.hpp"

namespace quarq::rpc {

using std::chrono::milliseconds;

/// The rest of the caller's deadline, in milliseconds (Connect's protocol).
inline constexpr std::string_view timeout_field = "Connect-Timeout-Ms";
/// 1 for the first attempt; absent means that.
inline constexpr std::string_view attempt_field = "Quarq-Attempt";
/// "false" in an answer: no handler has begun, so that the call may be sent again.
inline constexpr std::string_view started_field = "Quarq-Started";
inline constexpr std::string_view trace_field = model::trace_header;
inline constexpr std::string_view trace_state_field = model::trace_state_header;

enum class encoding { json, msgpack };

std::string_view content_type_of(encoding e) noexcept;
/// nullopt: another one. Without a type it is JSON.
std::optional<encoding> encoding_of(std::string_view content_type) noexcept;

/// At most ten digits. nullopt for anything else.
std::optional<milliseconds> parse_timeout(std::string_view text) noexcept;
/// No more than what the field can say.
std::string timeout_text(milliseconds left);
/// 1 for anything but a number from 1 to a million.
int parse_attempt(std::string_view text) noexcept;

/// The task's parameters; the names are empty if it was declared without.
struct parameter_list {
  std::size_t count = 0;
  std::span<const std::string> names = {};
};
/// The arguments in a call's body as one msgpack array. An empty body has none. Throws decode_error that begins with
/// the task's name, for arguments that don't fit; a syntax_error for a body that is no JSON or msgpack.
std::string arguments_of(std::string_view task, encoding e, std::string_view body, parameter_list declared);

/// The body can't be read at all.
class syntax_error : public decode_error {
 public:
  using decode_error::decode_error;
};

/// One msgpack value. Throws syntax_error.
std::string value_of(encoding e, std::string_view body);

http::response answer_with(encoding e, std::string result);

}  // namespace quarq::rpc
