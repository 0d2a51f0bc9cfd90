#include "broker/redis/settings.hpp"

#include <charconv>
#include <string>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "redis/url.hpp"

namespace quarq::broker::redis {

namespace {

constexpr std::uint64_t most_dead_jobs = 1'000'000'000, most_dead_days = 36'500;

std::uint64_t read_number(const std::string& name, const std::string& value, std::uint64_t most) {
  std::uint64_t n = 0;
  const auto* const last = value.data() + value.size();
  const auto [end, ec] = std::from_chars(value.data(), last, n);
  if (ec != std::errc{} || end != last || n < 1 || n > most) {
    throw usage_error(
        fmt::format(R"(the parameter "{}" is "{}"; it must be a number from 1 to {})", name, value, most));
  }
  return n;
}

}  // namespace

redis_settings parse_url(std::string_view url) {
  redis_settings found;
  quarq::redis::url_dialect dialect;
  dialect.parameters = "dead_jobs, dead_days";
  dialect.parameter = [&found](const std::string& name, const std::string& value) {
    if (name == "dead_jobs") {
      found.max_dead = read_number(name, value, most_dead_jobs);
    } else if (name == "dead_days") {
      found.max_dead_age = std::chrono::hours(24) * read_number(name, value, most_dead_days);
    } else {
      return false;
    }
    return true;
  };
  found.connection = quarq::redis::parse_url(url, dialect);
  return found;
}

}  // namespace quarq::broker::redis
