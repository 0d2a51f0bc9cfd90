// The fields of records and outcomes: those that arq's payloads share, and all others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/msgpack.hpp>

#include "codecs/fields.hpp"

namespace quarq::broker::arq {

inline constexpr std::string_view no_arguments = "\x90";  // msgpack: an empty array
inline constexpr std::string_view no_keywords = "\x80";   // and an empty map
inline constexpr std::string_view unknown_function = "<unknown>";
/// The last millisecond of the year 9999: beyond it Python has no datetime, and a worker of arq's dies.
inline constexpr std::int64_t last_moment_ms = 253'402'300'799'999;

/// Keys and values that are passed on as they are.
struct fields {
  std::string encoded;
  std::size_t count = 0;

  void clear() {
    encoded.clear();
    count = 0;
  }
  void add(std::string_view key, std::string_view value) {
    encoder out(encoded);
    out.text(key);
    out.raw(value);
    ++count;
  }
};

/// Entries whose key is no text are skipped: nobody looks for them.
template <class Read>
void read_map(decoder& in, Read read) {
  codecs::read_fields<codecs::other_keys::skipped>(in, std::move(read));
}

/// Arguments by name, checked to have nothing but names.
std::string_view keywords(decoder& in);

/// The parts of a record that arq has too, and all others.
struct record_fields {
  std::string_view task, arguments = no_arguments, keywords = no_keywords;
  bool known = false;
};

/// Throws decode_error that begins with "job payload: ".
record_fields read_record(std::string_view record, fields& others);

/// The fields that arq's results and our outcomes share.
struct end_fields {
  std::string_view task, result;
  std::int64_t attempts = 0, enqueued_ms = 0, started_ms = 0, finished_ms = 0;
  std::string_view error_type, error;
};

/// Throws decode_error that begins with "job outcome: ".
end_fields read_outcome(std::string_view outcome, fields& others);

}  // namespace quarq::broker::arq
