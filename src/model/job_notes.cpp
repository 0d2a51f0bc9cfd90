#include "model/job_notes.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/fields.hpp"
#include "codecs/utf8.hpp"

namespace quarq::model {

namespace {

constexpr std::int64_t max_number = std::numeric_limits<std::int64_t>::max();

std::uint64_t decode_amount(decoder& in) {
  return static_cast<std::uint64_t>(in.integer(0, max_number));
}

job_notes::line decode_line(decoder& in) {
  job_notes::line one;
  in.array(3);
  one.at_ms = in.integer();
  one.attempt = static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
  one.text = in.binary();
  return one;
}

void decode_log(decoder& in, job_notes& into) {
  const auto count = in.array();
  decoder::scope place(in);
  for (std::size_t i = 0; i < count; ++i) {
    place.element(i);
    into.add(decode_line(in));
  }
}

job_notes::progress decode_progress(decoder& in) {
  job_notes::progress far;
  in.array(2);
  far.done = decode_amount(in);
  far.total = decode_amount(in);
  return far;
}

std::int64_t bounded(std::uint64_t amount) {
  return static_cast<std::int64_t>(std::min(amount, static_cast<std::uint64_t>(max_number)));
}

job_notes readable(std::string_view encoded) {
  if (encoded.empty()) return {};
  try {
    return decode_notes(encoded);
  } catch (const decode_error&) {
    return {};
  }
}

}  // namespace

void job_notes::add(line one) {
  if (one.text.size() > max_log_line) {
    one.text.resize(codecs::cut_at(one.text, max_log_line - codecs::ellipsis.size()));
    one.text += codecs::ellipsis;
  }
  lines.push_back(std::move(one));
  std::size_t bytes = 0, kept = 0;
  for (auto each = lines.rbegin(); each != lines.rend() && kept < max_log_lines; ++each, ++kept) {
    bytes += each->text.size();
    if (bytes > max_log_bytes) break;
  }
  for (; lines.size() > kept; ++cut) lines.pop_front();
}

void job_notes::append(const job_notes& later) {
  attempt = std::max(attempt, later.attempt);
  enqueued_ms = later.enqueued_ms;
  for (const auto& each : later.lines) add(each);
  cut += later.cut;
  if (later.how_far) how_far = later.how_far;
}

std::string encode(const job_notes& notes) {
  std::string out;
  encoder to(out);
  to.map(3 + (notes.cut > 0 ? 1 : 0) + (notes.how_far ? 1 : 0));
  to.text("t");
  to.integer(notes.attempt);
  to.text("et");
  to.integer(notes.enqueued_ms);
  to.text("log");
  to.array(notes.lines.size());
  for (const auto& each : notes.lines) {
    to.array(3);
    to.integer(each.at_ms);
    to.integer(each.attempt);
    to.binary(each.text);
  }
  if (notes.cut > 0) {
    to.text("cut");
    to.integer(bounded(notes.cut));
  }
  if (notes.how_far) {
    to.text("p");
    to.array(2);
    to.integer(bounded(notes.how_far->done));
    to.integer(bounded(notes.how_far->total));
  }
  return out;
}

job_notes decode_notes(std::string_view encoded) {
  decoder in(encoded, "job notes");
  job_notes notes;
  codecs::read_fields(in, [&](std::string_view key) {
    if (key == "t") {
      notes.attempt = static_cast<int>(in.integer(0, std::numeric_limits<int>::max()));
    } else if (key == "et") {
      notes.enqueued_ms = in.integer();
    } else if (key == "log") {
      decode_log(in, notes);
    } else if (key == "cut") {
      notes.cut += decode_amount(in);
    } else if (key == "p") {
      notes.how_far = decode_progress(in);
    } else {
      in.skip();
    }
  });
  in.finish();
  return notes;
}

job_notes notes_of(std::string_view in_outcome, std::string_view note, std::int64_t enqueued_ms) {
  auto all = readable(in_outcome);
  const auto more = readable(note);
  const bool is_its = enqueued_ms == 0 || more.enqueued_ms == 0 || more.enqueued_ms == enqueued_ms;
  if (is_its && (more.attempt > all.attempt || all.empty())) all.append(more);
  return all;
}

}  // namespace quarq::model
