#include "model/trace_context.hpp"

#include <array>
#include <cstddef>

#include "codecs/hex.hpp"

namespace quarq::model {
namespace {

// Where they end in "00-<trace id>-<span id>-<flags>".
constexpr std::size_t trace_id_end = 35, span_id_end = 52, traceparent_size = 55;

constexpr auto is_no_digit = [] {
  std::array<bool, 256> of{};
  for (std::size_t c = 0; c < of.size(); ++c)
    of[c] = codecs::hex_values[c] == codecs::no_hex_digit || (c >= 'A' && c <= 'F');
  return of;
}();

// Without a way out in between: nearly all are.
bool are_digits(std::string_view text) noexcept {
  bool others = false;
  for (const char c : text) others |= is_no_digit[static_cast<unsigned char>(c)];
  return !others;
}

}  // namespace

bool is_traceparent(std::string_view text) noexcept {
  return text.size() == traceparent_size && text.starts_with("00-") && text[trace_id_end] == '-' &&
         text[span_id_end] == '-' && are_digits(trace_id_of(text)) && are_digits(span_id_of(text)) &&
         are_digits(text.substr(span_id_end + 1));
}

bool are_of_one_trace(std::string_view one, std::string_view other) noexcept {
  return is_traceparent(one) && is_traceparent(other) && trace_id_of(one) == trace_id_of(other);
}

}  // namespace quarq::model
