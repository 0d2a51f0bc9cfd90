#include "otlp/json.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <variant>

#include <fmt/format.h>

#include <quarq/msgpack.hpp>

#include "codecs/fields.hpp"
#include "codecs/hex.hpp"
#include "codecs/json.hpp"
#include "codecs/json_text.hpp"

namespace quarq::otlp {
namespace {

constexpr std::size_t usual_size = 1'200;  // of a span

void append_member(std::string& out, std::string_view name) {
  out += ",\"";
  out += name;
  out += "\":";
}

void append_number(std::string& out, std::int64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_time(std::string& out, std::string_view name, std::chrono::system_clock::time_point when) {
  append_member(out, name);
  out += '"';
  append_number(out, std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count());
  out += '"';
}

void append_attribute(std::string& out, std::string_view key,
                      const std::variant<std::string, std::int64_t>& value) {
  out += "{\"key\":";
  codecs::append_json_string(out, key);
  if (const auto* text = std::get_if<std::string>(&value)) {
    out += ",\"value\":{\"stringValue\":";
    codecs::append_json_string(out, *text);
  } else {
    out += ",\"value\":{\"intValue\":\"";
    append_number(out, std::get<std::int64_t>(value));
    out += '"';
  }
  out += "}}";
}

void append_context(std::string& out, const span_context& of) {
  out += "{\"traceId\":\"";
  codecs::append_hex(out, of.trace_id);
  out += "\",\"spanId\":\"";
  codecs::append_hex(out, of.span_id);
  out += '"';
  if (!of.trace_state.empty()) {
    append_member(out, "traceState");
    codecs::append_json_string(out, of.trace_state);
  }
}

void append_links(std::string& out, const finished_span& of) {
  if (of.links.empty()) return;
  append_member(out, "links");
  char before = '[';
  for (const auto& link : of.links) {
    out += before;
    before = ',';
    append_context(out, link);
    out += '}';
  }
  out += ']';
  if (of.dropped_links == 0) return;
  append_member(out, "droppedLinksCount");
  append_number(out, static_cast<std::int64_t>(of.dropped_links));
}

void append_status(std::string& out, const finished_span& of) {
  if (of.status == span_status::unset) return;
  append_member(out, "status");
  out += "{\"code\":";
  append_number(out, static_cast<std::int64_t>(of.status));
  if (!of.status_message.empty()) {
    append_member(out, "message");
    codecs::append_json_string(out, of.status_message);
  }
  out += '}';
}

void append_span(std::string& out, const finished_span& one) {
  append_context(out, one.context);
  if (one.parent_span_id != decltype(one.parent_span_id){}) {
    append_member(out, "parentSpanId");
    out += '"';
    codecs::append_hex(out, one.parent_span_id);
    out += '"';
  }
  append_member(out, "name");
  codecs::append_json_string(out, one.name);
  append_member(out, "kind");
  append_number(out, static_cast<std::int64_t>(one.kind));
  append_time(out, "startTimeUnixNano", one.start);
  append_time(out, "endTimeUnixNano", one.end);
  append_member(out, "attributes");
  char before = '[';
  for (const auto& [key, value] : one.attributes) {
    out += before;
    before = ',';
    append_attribute(out, key, value);
  }
  if (one.attributes.empty()) out += '[';
  out += ']';
  append_links(out, one);
  append_status(out, one);
  out += '}';
}

}  // namespace

request_writer::request_writer(const std::vector<named_text>& resource) {
  before_ = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
  for (std::size_t i = 0; i < resource.size(); ++i) {
    if (i > 0) before_ += ',';
    append_attribute(before_, resource[i].first, resource[i].second);
  }
  before_ += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"quarq\",\"version\":";
  codecs::append_json_string(before_, QUARQ_VERSION);
  before_ += "},\"spans\":[";
}

std::string request_writer::write(std::span<const finished_span> spans) const {
  std::string out;
  out.reserve(before_.size() + usual_size * spans.size());
  out = before_;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (i > 0) out += ',';
    append_span(out, spans[i]);
  }
  out += "]}]}]}";
  return out;
}

// {"partialSuccess": {"rejectedSpans": "3", "errorMessage": "..."}}; a number is allowed as well.
std::uint64_t rejected_spans(std::string_view answer) {
  std::uint64_t rejected = 0;
  try {
    const auto encoded = codecs::json_to_msgpack(answer);
    decoder in(encoded, "answer");
    codecs::read_fields(in, [&](std::string_view outer) {
      if (outer != "partialSuccess" || in.peek() != value_type::map) return in.skip();
      codecs::read_fields(in, [&](std::string_view key) {
        if (key != "rejectedSpans") return in.skip();
        const bool is_text = in.peek() == value_type::text;
        rejected = is_text ? std::stoull(std::string(in.text())) : in.unsigned_integer();
      });
    });
  } catch (const std::exception&) {
    return 0;
  }
  return rejected;
}

}  // namespace quarq::otlp
