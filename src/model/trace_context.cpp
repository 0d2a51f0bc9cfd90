#include "model/trace_context.hpp"

#include <cstddef>

namespace quarq::model {

bool is_traceparent(std::string_view text) noexcept {
  constexpr std::string_view form = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char c = text[i];
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (form[i] == 'x' ? !is_hex : c != form[i]) return false;
  }
  return true;
}

bool are_of_one_trace(std::string_view one, std::string_view other) noexcept {
  return is_traceparent(one) && is_traceparent(other) && trace_id_of(one) == trace_id_of(other);
}

}  // namespace quarq::model
