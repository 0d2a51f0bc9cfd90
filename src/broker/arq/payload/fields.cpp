#include "broker/arq/payload/fields.hpp"

#include <quarq/errors.hpp>

namespace quarq::broker::arq {

using codecs::raw_of;

std::string_view keywords(decoder& in) {
  const std::string_view encoded = raw_of(in, value_type::map);
  decoder inner(encoded, "k");
  const std::size_t count = inner.map();
  for (std::size_t i = 0; i < count; ++i) {
    if (inner.peek() != value_type::text)
      in.fail("key " + std::to_string(i + 1) + ": expected string, got " +
              std::string(to_string(inner.peek())));
    try {
      inner.text();
    } catch (const decode_error&) {
      in.fail("key " + std::to_string(i + 1) + " is not UTF-8");
    }
    inner.skip();
  }
  return encoded;
}

record_fields read_record(std::string_view record, fields& others) {
  record_fields parts;
  if (record.empty()) return parts;
  decoder in(record, "job payload");
  bool unreadable = false, has_task = false;
  read_map(in, [&](std::string_view key) {
    if (key == "f") {
      parts.task = in.text();
      has_task = true;
    } else if (key == "a") {
      parts.arguments = raw_of(in, value_type::array);
    } else if (key == "k") {
      parts.keywords = keywords(in);
    } else if (key == "unreadable") {
      unreadable = true;
      in.skip();
    } else {
      others.add(key, in.raw());
    }
  });
  in.finish();
  parts.known = !unreadable && has_task && parts.task != unknown_function;
  return parts;
}

end_fields read_outcome(std::string_view outcome, fields& others) {
  end_fields parts;
  decoder in(outcome, "job outcome");
  read_map(in, [&](std::string_view key) {
    if (key == "f") {
      parts.task = in.text();
    } else if (key == "t") {
      parts.attempts = in.integer();
    } else if (key == "et") {
      parts.enqueued_ms = in.integer(0, last_moment_ms);
    } else if (key == "st") {
      parts.started_ms = in.integer(0, last_moment_ms);
    } else if (key == "ft") {
      parts.finished_ms = in.integer(0, last_moment_ms);
    } else if (key == "r") {
      parts.result = in.raw();
    } else {
      const std::string_view value = in.raw();
      if (key == "error_type") parts.error_type = decoder(value, "job outcome").text();
      if (key == "error") parts.error = decoder(value, "job outcome").binary();
      others.add(key, value);
    }
  });
  in.finish();
  return parts;
}

}  // namespace quarq::broker::arq
