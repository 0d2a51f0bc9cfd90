#include "broker/redis_common/dead_limits.hpp"

#include <charconv>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/log.hpp"

namespace quarq::broker::redis_common {

namespace {

constexpr std::uint64_t max_jobs = 1'000'000'000, max_days = 36'500;
constexpr std::chrono::hours day{24};

std::uint64_t read_number(const std::string& name, const std::string& value, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > max) {
    throw usage_error(
        fmt::format(R"(the parameter "{}" is "{}"; it must be a number from 1 to {})", name, value, max));
  }
  return number;
}

}  // namespace

bool dead_limits::read(const std::string& name, const std::string& value) {
  if (name == "dead_jobs") {
    jobs = read_number(name, value, max_jobs);
  } else if (name == "dead_days") {
    age = day * read_number(name, value, max_days);
  } else {
    return false;
  }
  return true;
}

std::vector<std::string> dead_limits::args() const {
  return {std::to_string(jobs), std::to_string(age.count())};
}

void dead_limits::log_removed(const std::string& queue, std::int64_t dead) const {
  if (dead == 0) return;
  base::log().warn("queue {}: removed {} dead jobs: at most {} are kept, for {} days (dead_jobs, dead_days)",
                   queue, dead, jobs, age / day);
}

}  // namespace quarq::broker::redis_common
