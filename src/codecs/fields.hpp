// Documents that are msgpack maps, read field by field.
#pragma once

#include <string_view>

#include <quarq/msgpack.hpp>

namespace quarq::codecs {

/// What becomes of fields whose keys are not text.
enum class other_keys { refused, skipped };

/// Calls `read` for each key of the map that comes next, to consume its value.
template <other_keys Others = other_keys::refused, class Read>
void read_fields(decoder& in, Read read) {
  const std::size_t count = in.map();
  decoder::scope place(in);
  for (std::size_t i = 0; i < count; ++i) {
    place.key(i + 1);
    if (Others == other_keys::skipped && in.peek() != value_type::text) {
      in.skip();
      in.skip();
      continue;
    }
    const std::string_view key = in.text();
    place.field(key);
    read(key);
  }
}

/// The next value as it is encoded; it has to be of this type.
inline std::string_view raw_of(decoder& in, value_type type) {
  if (in.peek() != type) in.fail_expected(to_string(type));
  return in.raw();
}

}  // namespace quarq::codecs
