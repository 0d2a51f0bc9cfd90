// Decodes the arguments of a call. Included by <quarq/codec.hpp>.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <quarq/codec.hpp>

namespace quarq::detail {

/// Opens the array of arguments; throws decode_error unless there are `expected` of them.
void begin_arguments(decoder& in, std::size_t expected);

template <class T>
T decode_argument(decoder& in, decoder::scope& place, std::size_t index,
                  std::span<const std::string_view> names) {
  place.argument(index + 1, index < names.size() ? names[index] : std::string_view());
  return quarq::decode<T>(in);
}

template <class Tuple, std::size_t... I>
Tuple decode_each_argument(decoder& in, [[maybe_unused]] std::span<const std::string_view> names,
                           std::index_sequence<I...>) {
  begin_arguments(in, sizeof...(I));
  [[maybe_unused]] decoder::scope place(in);
  return Tuple{decode_argument<std::tuple_element_t<I, Tuple>>(in, place, I, names)...};
}

template <class Tuple>
Tuple decode_arguments(decoder& in, std::span<const std::string_view> names) {
  return decode_each_argument<Tuple>(in, names, std::make_index_sequence<std::tuple_size_v<Tuple>>());
}

}  // namespace quarq::detail
