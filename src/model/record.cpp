#include "model/record.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/fields.hpp"
#include "codecs/utf8.hpp"

namespace quarq::model {

using codecs::raw_of;
using codecs::read_fields;

namespace {

// A map that is written key by key and counted as it grows. Records have fewer than 16 keys, so the head is
// one byte.
class small_map {
 public:
  explicit small_map(std::string& out) : out_(out), head_(out.size()), encoder_(out) { encoder_.map(0); }

  /// REQUIRES: `name` is ASCII and shorter than 32, which needs no check then.
  encoder& key(std::string_view name) {
    ++out_[head_];
    out_ += static_cast<char>(0xa0 | name.size());
    out_ += name;
    return encoder_;
  }

 private:
  std::string& out_;
  std::size_t head_;
  encoder encoder_;
};

constexpr std::int64_t wire_forever = -1;

std::int64_t to_wire(const retention& keep) {
  return keep.duration() ? keep.duration()->count() : wire_forever;
}

retention decode_retention(decoder& in) {
  const auto ms = in.integer(wire_forever, max_time.count());
  if (ms == wire_forever) return forever;
  return milliseconds(ms);
}

// Other programs may write to the store: no number is trusted.
milliseconds decode_time(decoder& in) {
  return milliseconds(in.integer(0, max_time.count()));
}

void encode_backoff(encoder& out, const retry_policy& p) {
  out.array(4);
  out.integer(p.first().count());
  out.integer(p.max().count());
  out.real(p.factor());
  out.real(p.jitter_fraction());
}

retry_policy decode_backoff(decoder& in) {
  decoder::scope place(in);
  in.array(4);
  place.element(0);
  const milliseconds first = decode_time(in);
  place.element(1);
  const milliseconds max = decode_time(in);
  place.element(2);
  const double factor = in.real();
  place.element(3);
  const double jitter = in.real();
  return retry_policy(first, max, factor).jitter(jitter);
}

void encode_labels(small_map& map, const detail::labels& some) {
  if (!some.headers.empty()) {
    auto& out = map.key("h");
    out.map(some.headers.size());
    for (const auto& [name, value] : some.headers) {
      out.text(name);
      out.text(value);
    }
  }
  if (!some.tags.empty()) {
    auto& out = map.key("tags");
    out.array(some.tags.size());
    for (const auto& word : some.tags) out.text(word);
  }
  if (some.version != 0) map.key("v").integer(some.version);
}

/// What somebody else has said may be any bytes.
void encode_said(encoder& out, std::string_view said) {
  codecs::is_utf8(said) ? out.text(said) : out.text(codecs::to_utf8(said));
}

int decode_count(decoder& in) {
  return static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
}

std::map<std::string, std::string> decode_headers(decoder& in) {
  std::map<std::string, std::string> headers;
  read_fields(in, [&](std::string_view name) { headers[std::string(name)] = in.text(); });
  return headers;
}

std::vector<std::string> decode_tags(decoder& in) {
  std::vector<std::string> tags;
  const auto count = in.array();
  decoder::scope place(in);
  for (std::size_t i = 0; i < count; ++i) {
    place.element(i);
    tags.emplace_back(in.text());
  }
  return tags;
}

/// Whether this is a field of labels, which has been read then.
bool read_label(std::string_view key, decoder& in, detail::labels& into) {
  if (key == "h") {
    into.headers = decode_headers(in);
  } else if (key == "tags") {
    into.tags = decode_tags(in);
  } else if (key == "v") {
    into.version = decode_count(in);
  } else {
    return false;
  }
  return true;
}

void encode_earlier(encoder& out, const std::vector<earlier_attempt>& all) {
  out.array(all.size());
  for (const auto& one : all) {
    out.map(6);
    out.text("t");
    out.integer(one.number);
    out.text("st");
    out.integer(one.started_ms);
    out.text("ft");
    out.integer(one.finished_ms);
    out.text("worker");
    encode_said(out, one.worker);
    out.text("error_type");
    encode_said(out, one.error_type);
    out.text("error");
    out.binary(one.error);
  }
}

std::vector<earlier_attempt> decode_earlier(decoder& in) {
  std::vector<earlier_attempt> all;
  const auto count = in.array();
  decoder::scope place(in);
  for (std::size_t i = 0; i < count; ++i) {
    place.element(i);
    auto& one = all.emplace_back();
    read_fields(in, [&](std::string_view key) {
      if (key == "t") {
        one.number = decode_count(in);
      } else if (key == "st") {
        one.started_ms = in.integer();
      } else if (key == "ft") {
        one.finished_ms = in.integer();
      } else if (key == "worker") {
        one.worker = in.text();
      } else if (key == "error_type") {
        one.error_type = in.text();
      } else if (key == "error") {
        one.error = in.binary();
      } else {
        in.skip();
      }
    });
  }
  return all;
}

std::string cut(std::string text, std::size_t limit) {
  text.resize(codecs::cut_at(text, limit));
  return text;
}

}  // namespace

std::string encode(const record& r) {
  std::string out;
  out.reserve(r.task.size() + r.arguments.size() + r.keywords.size() + 24);
  small_map map(out);
  map.key("f").text(r.task);
  map.key("a").raw(r.arguments);
  if (!r.keywords.empty()) map.key("k").raw(r.keywords);
  if (r.timeout) map.key("timeout").integer(r.timeout->count());
  if (r.max_attempts) map.key("tries").integer(*r.max_attempts);
  if (r.backoff) encode_backoff(map.key("backoff"), *r.backoff);
  if (r.awaited) map.key("await").boolean(true);
  if (r.keep_result) map.key("keep").integer(to_wire(*r.keep_result));
  if (!r.after.empty()) map.key("after").text(r.after);
  if (r.labels) encode_labels(map, *r.labels);
  return out;
}

record decode_record(std::string_view encoded) {
  decoder in(encoded, "job payload");
  record r;
  detail::labels labels;
  bool has_task = false;
  read_fields(in, [&](std::string_view key) {
    if (key == "f") {
      r.task = in.text();
      has_task = true;
    } else if (key == "a") {
      r.arguments = raw_of(in, value_type::array);
    } else if (key == "k") {
      r.keywords = raw_of(in, value_type::map);
    } else if (key == "timeout") {
      r.timeout = decode_time(in);
    } else if (key == "tries") {
      r.max_attempts = static_cast<int>(in.integer(1, std::numeric_limits<int>::max()));
    } else if (key == "backoff") {
      r.backoff = decode_backoff(in);
    } else if (key == "await") {
      r.awaited = in.boolean();
    } else if (key == "keep") {
      r.keep_result = decode_retention(in);
    } else if (key == "after") {
      r.after = in.text();
    } else if (key == "unreadable") {
      // A broker could not read what another program stored, and says why.
      throw decode_error(std::string(in.binary()));
    } else if (!read_label(key, in, labels)) {
      in.skip();
    }
  });
  in.finish();
  if (!has_task) in.fail("field f (the task's name) is missing");
  if (r.arguments.empty()) in.fail("field a (the arguments) is missing");
  if (labels != detail::labels()) r.labels = std::make_shared<const detail::labels>(std::move(labels));
  return r;
}

std::string encode(const detail::labels& some) {
  std::string out;
  small_map map(out);
  encode_labels(map, some);
  return out;
}

detail::labels decode_labels(std::string_view encoded) {
  decoder in(encoded, "labels of a job");
  detail::labels labels;
  read_fields(in, [&](std::string_view key) {
    if (!read_label(key, in, labels)) in.skip();
  });
  in.finish();
  return labels;
}

std::string encode(const outcome& o) {
  std::string out;
  out.reserve(o.task.size() + o.worker.size() + o.result.size() + o.error.size() + 64);
  small_map map(out);
  map.key("f").text(o.task);
  map.key("t").integer(o.attempts);
  map.key("et").integer(o.enqueued_ms);
  map.key("st").integer(o.started_ms);
  map.key("ft").integer(o.finished_ms);
  encode_said(map.key("worker"), o.worker);
  if (!o.result.empty()) map.key("r").raw(o.result);
  if (!o.error_type.empty()) encode_said(map.key("error_type"), o.error_type);
  if (!o.error.empty()) map.key("error").binary(o.error);
  if (!o.after.empty()) map.key("after").text(o.after);
  if (!o.earlier.empty()) encode_earlier(map.key("earlier"), o.earlier);
  if (!o.notes.empty()) map.key("notes").binary(o.notes);
  return out;
}

outcome decode_outcome(std::string_view encoded) {
  decoder in(encoded, "job outcome");
  outcome o;
  read_fields(in, [&](std::string_view key) {
    if (key == "f") {
      o.task = in.text();
    } else if (key == "t") {
      o.attempts = decode_count(in);
    } else if (key == "et") {
      o.enqueued_ms = in.integer();
    } else if (key == "st") {
      o.started_ms = in.integer();
    } else if (key == "ft") {
      o.finished_ms = in.integer();
    } else if (key == "worker") {
      o.worker = in.text();
    } else if (key == "r") {
      o.result = in.raw();
    } else if (key == "error_type") {
      o.error_type = in.text();
    } else if (key == "error") {
      o.error = in.binary();
    } else if (key == "after") {
      o.after = in.text();
    } else if (key == "earlier") {
      o.earlier = decode_earlier(in);
    } else if (key == "notes") {
      o.notes = in.binary();
    } else {
      in.skip();
    }
  });
  in.finish();
  return o;
}

void add_earlier_attempts(outcome& next, std::string_view last_outcome) {
  outcome last;
  try {
    last = decode_outcome(last_outcome);
  } catch (const decode_error&) {
    return;
  }
  auto& all = next.earlier;
  all = std::move(last.earlier);
  next.notes = std::move(last.notes);
  all.push_back({last.attempts, std::move(last.worker), last.started_ms, last.finished_ms,
                 cut(std::move(last.error_type), max_earlier_error_type),
                 cut(std::move(last.error), max_earlier_error)});
  std::size_t kept = 0, bytes = 0;
  for (auto one = all.rbegin(); one != all.rend() && kept < max_earlier_attempts; ++one, ++kept) {
    bytes += one->worker.size() + one->error_type.size() + one->error.size();
    if (bytes > max_earlier_bytes) break;
  }
  all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(kept));
}

}  // namespace quarq::model
