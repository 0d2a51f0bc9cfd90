#include "broker/arq/lease.hpp"

#include <ctime>

#include <fmt/format.h>

#include "base/log.hpp"

namespace quarq::broker::arq {

void arq_lease::count(const settlement& one) {
  if (one.kind == settlement::what::retry) {
    ++retried;
  } else if (one.kind == settlement::what::end) {
    ++(one.state == job_state::succeeded ? complete : failed);
  }
}

std::string arq_lease::health(std::chrono::system_clock::time_point now, std::uint64_t queued) const {
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format(
      "{}-{:02} {:02}:{:02}:{:02} j_complete={} j_failed={} j_retried={} j_ongoing={} queued={}",
      months[local.tm_mon], local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, complete, failed,
      retried, records.size(), queued);
}

void arq_lease::log_health(std::string_view health) {
  const auto counts = health.substr(health.find("j_complete="));
  if (counts == logged_health) return;
  if (!logged_health.empty()) base::log().info("recording health: {}", health);
  logged_health = counts;
}

}  // namespace quarq::broker::arq
