#include "otlp/json.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <quarq/msgpack.hpp>

#include "codecs/fields.hpp"
#include "codecs/hex.hpp"
#include "codecs/json.hpp"
#include "codecs/json_text.hpp"

namespace quarq::otlp {
namespace {

constexpr std::size_t max_known = 1'000;  // of shared attributes

void append_number(std::string& out, std::int64_t value) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_time(std::string& out, std::chrono::system_clock::time_point when) {
  append_number(out, std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count());
}

void append_attribute(std::string& out, const span_attribute& one) {
  out += "{\"key\":";
  codecs::append_json_string(out, one.key);
  if (const auto* text = std::get_if<std::string_view>(&one.value)) {
    out += ",\"value\":{\"stringValue\":";
    codecs::append_json_string(out, *text);
  } else {
    out += ",\"value\":{\"intValue\":\"";
    append_number(out, std::get<std::int64_t>(one.value));
    out += '"';
  }
  out += "}}";
}

void append_attributes(std::string& out, std::span<const span_attribute> all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) out += ',';
    append_attribute(out, all[i]);
  }
}

void append_context(std::string& out, const span_context& of) {
  out += "{\"traceId\":\"";
  codecs::append_hex(out, of.trace_id);
  out += "\",\"spanId\":\"";
  codecs::append_hex(out, of.span_id);
  out += '"';
  if (!of.trace_state.empty()) {
    out += ",\"traceState\":";
    codecs::append_json_string(out, of.trace_state);
  }
}

void append_links(std::string& out, const finished_span& of) {
  if (of.links.empty()) return;
  out += ",\"links\":[";
  for (std::size_t i = 0; i < of.links.size(); ++i) {
    if (i > 0) out += ',';
    append_context(out, of.links[i]);
    out += '}';
  }
  out += ']';
  if (of.dropped_links == 0) return;
  out += ",\"droppedLinksCount\":";
  append_number(out, static_cast<std::int64_t>(of.dropped_links));
}

void append_status(std::string& out, const finished_span& of) {
  if (of.status == span_status::unset) return;
  out += ",\"status\":{\"code\":";
  append_number(out, static_cast<std::int64_t>(of.status));
  if (!of.status_message.empty()) {
    out += ",\"message\":";
    codecs::append_json_string(out, of.status_message);
  }
  out += '}';
}

}  // namespace

request_writer::request_writer(const std::vector<named_text>& resource) {
  std::vector<span_attribute> attributes;
  for (const auto& [name, value] : resource) attributes.push_back({name, std::string_view(value)});
  head_ = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
  append_attributes(head_, attributes);
  head_ += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"quarq\",\"version\":";
  codecs::append_json_string(head_, QUARQ_VERSION);
  head_ += "},\"spans\":[";
}

std::string_view request_writer::write(const stored_spans& spans) {
  request_ = head_;
  spans.for_each([this](const finished_span& one) { append(one); });
  if (!spans.empty()) request_.pop_back();
  return request_ += "]}]}]}";
}

// With a comma behind it.
void request_writer::append(const finished_span& one) {
  auto& out = request_;
  append_context(out, one.context);
  if (one.parent_span_id != decltype(one.parent_span_id){}) {
    out += ",\"parentSpanId\":\"";
    codecs::append_hex(out, one.parent_span_id);
    out += '"';
  }
  out += ",\"name\":";
  codecs::append_json_string(out, one.name);
  out += ",\"kind\":";
  append_number(out, static_cast<std::int64_t>(one.kind));
  out += ",\"startTimeUnixNano\":\"";
  append_time(out, one.start);
  out += "\",\"endTimeUnixNano\":\"";
  append_time(out, one.end);
  out += "\",\"attributes\":[";
  out += text_of(one.shared);
  if (!one.shared.all().empty() && !one.attributes.empty()) out += ',';
  append_attributes(out, one.attributes);
  out += ']';
  append_links(out, one);
  append_status(out, one);
  out += "},";
}

// One that is known is kept, so no other has its address.
std::string_view request_writer::text_of(const shared_attributes& which) {
  const auto known = known_.find(&which);
  if (known != known_.end()) return known->second.text;
  if (known_.size() == max_known) known_.clear();
  std::string text;
  append_attributes(text, which.all());
  return known_.emplace(&which, known_text{which.shared_from_this(), std::move(text)}).first->second.text;
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
