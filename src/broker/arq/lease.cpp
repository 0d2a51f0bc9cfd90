#include "broker/arq/lease.hpp"

#include <ctime>

#include <fmt/format.h>

#include <quarq/msgpack.hpp>

#include "base/log.hpp"
#include "codecs/fields.hpp"

namespace quarq::broker::arq {

namespace {

bool ended_by_retry(std::string_view outcome) {
  std::string_view type;
  decoder in(outcome, "outcome");
  codecs::read_fields(in, [&](std::string_view key) {
    const auto value = in.raw();
    if (key == "error_type") type = decoder(value, "outcome").text();
  });
  return type == "quarq::retry_after";
}

}  // namespace

void arq_lease::count(const settlement& one) {
  if (one.kind == settlement::what::retry) {
    ++retried;
  } else if (one.kind == settlement::what::end) {
    // arq's workers start it once more, to find that it has been retried too often.
    if (one.state == job_state::dead && ended_by_retry(one.outcome)) ++retried;
    ++(one.state == job_state::succeeded ? complete : failed);
  }
}

std::string arq_lease::health(std::chrono::system_clock::time_point now) const {
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{}-{:02} {:02}:{:02}:{:02} j_complete={} j_failed={} j_retried={} j_ongoing={} queued=",
                     months[local.tm_mon], local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, complete,
                     failed, retried, jobs.size());
}

void arq_lease::log_health(std::string_view health) {
  const auto counts = health.substr(health.find("j_complete="));
  if (counts == logged_health) return;
  if (!logged_health.empty()) base::log().info("recording health: {}", health);
  logged_health = counts;
}

}  // namespace quarq::broker::arq
