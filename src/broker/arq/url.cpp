#include "broker/arq/url.hpp"

#include <charconv>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "broker/arq/keys.hpp"
#include "redis/url.hpp"

namespace quarq::broker::arq {

namespace {

std::chrono::milliseconds read_seconds(const std::string& name, const std::string& value, double min,
                                       double max) {
  double seconds = -1;
  const auto end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, seconds, std::chars_format::fixed);
  if (error != std::errc() || stop != end || !(seconds >= min && seconds <= max)) {
    throw usage_error(
        fmt::format("the parameter \"{}\" is \"{}\"; it must be a number of seconds, from {} to {}", name,
                    value, min, static_cast<std::int64_t>(max)));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000 + 0.5));
}

arq_codec read_codec(const std::string& value) {
  if (value == "pickle") return arq_codec::pickle;
  if (value == "msgpack") return arq_codec::msgpack;
  throw usage_error("the parameter \"codec\" is \"" + value + "\"; it must be pickle or msgpack");
}

}  // namespace

arq_settings parse_url(std::string_view url) {
  arq_settings settings;
  quarq::redis::url_dialect dialect;
  dialect.name = "arq";
  dialect.scheme = "arq";
  dialect.parameters =
      "queue, codec, expires_extra, poll, health_check_interval, health_check_key, dead_jobs, dead_days";
  dialect.parameter = [&settings](const std::string& name, const std::string& value) {
    if (name == "queue") {
      check_queue_key(value);
      settings.default_queue = value;
    } else if (name == "codec") {
      settings.codec = read_codec(value);
    } else if (name == "expires_extra") {
      settings.expires_extra = read_seconds(name, value, 0.001, 1e9);
    } else if (name == "poll") {
      settings.poll = read_seconds(name, value, 0.001, 60);
    } else if (name == "health_check_interval") {
      settings.health_check_interval = read_seconds(name, value, 0.001, 1e6);
    } else if (name == "health_check_key") {
      check_health_key(value);
      settings.health_check_key = value;
    } else {
      return settings.dead.read(name, value);
    }
    return true;
  };
  settings.redis = quarq::redis::parse_url(url, dialect);
  if (settings.health_check_key == settings.default_queue) {
    throw usage_error("the arq URL \"" + quarq::redis::without_password(url) +
                      "\" can't be used: the key of the health record is that of the queue");
  }
  return settings;
}

}  // namespace quarq::broker::arq
