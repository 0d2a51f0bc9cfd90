#include "broker/arq/replies.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "base/log.hpp"
#include "codecs/utf8.hpp"

namespace quarq::broker::arq {

namespace {

constexpr double last_moment = 253'402'300'799'999;  // the end of the year 9999

std::string unreadable_outcome(std::string_view why) {
  std::string out;
  encoder map(out);
  map.map(2);
  map.text("error_type");
  map.text("quarq::decode_error");
  map.text("error");
  map.binary(why);
  return out;
}

constexpr std::string_view nothing_known = "\x80";  // an outcome with no fields

}  // namespace

time_point moment_of_score(std::string_view score) {
  double value = 0;
  std::from_chars(score.data(), score.data() + score.size(), value);
  if (std::isnan(value)) value = 0;
  return time_point(milliseconds(static_cast<std::int64_t>(std::clamp(value, 0.0, last_moment))));
}

std::string write_result(arq_payloads& payloads, const settlement& end, const known_job& job,
                         std::string_view queue_key) {
  // Written into the payload, which is to be text for Python.
  const auto id = codecs::to_utf8(end.id);
  arq_end written;
  written.record = job.record;
  written.given = job.given;
  written.outcome = end.outcome.empty() ? nothing_known : std::string_view(end.outcome);
  written.state = end.state;
  written.queue = queue_key;
  written.id = id;
  std::string unserializable;
  auto result = payloads.write_end(written, &unserializable);
  if (!unserializable.empty()) {
    base::log().warn("error serializing result of {}: {}", codecs::printable(id, 300),
                     codecs::printable(unserializable, 300));
  }
  return result;
}

ended read_result(arq_payloads& payloads, std::string_view payload) {
  ended end;
  try {
    auto read = payloads.read_end(payload);
    end.state = read.state;
    end.outcome = std::move(read.outcome);
  } catch (const decode_error& e) {
    end.state = job_state::failed;
    end.outcome = unreadable_outcome(e.what());
  }
  return end;
}

}  // namespace quarq::broker::arq
