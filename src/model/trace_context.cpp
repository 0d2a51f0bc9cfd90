#include "model/trace_context.hpp"

#include <array>
#include <cstddef>

#include "codecs/hex.hpp"

namespace quarq::model {
namespace {

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
  return text.size() == traceparent_size && text.starts_with("00-") && text[span_id_at - 1] == '-' &&
         text[flags_at - 1] == '-' && are_digits(trace_id_of(text)) && are_digits(span_id_of(text)) &&
         are_digits(text.substr(flags_at));
}

bool are_of_one_trace(std::string_view one, std::string_view other) noexcept {
  return is_traceparent(one) && is_traceparent(other) && trace_id_of(one) == trace_id_of(other);
}

}  // namespace quarq::model
