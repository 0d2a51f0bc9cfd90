// The ids in a header "traceparent" (W3C Trace Context, https://www.w3.org/TR/trace-context/).
#pragma once

#include <array>
#include <cstdint>

namespace quarq::detail {

struct traceparent {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};  ///< zeros: there is none
  std::uint8_t flags = 0;                 ///< as they came

  bool is_set() const noexcept { return span_id != decltype(span_id){}; }
  friend bool operator==(const traceparent&, const traceparent&) = default;
};

}  // namespace quarq::detail
