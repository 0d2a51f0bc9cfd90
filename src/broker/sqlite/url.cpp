#include "broker/sqlite/url.hpp"

#include <charconv>
#include <string>

#include <fmt/format.h>

#include <quarq/errors.hpp>

namespace quarq::broker::sqlite {

namespace {

constexpr std::string_view scheme = "sqlite:";

[[noreturn]] void refuse(std::string_view url, const std::string& why) {
  throw usage_error(fmt::format("the SQLite URL \"{}\" can't be used: {}", url, why));
}

int read_synchronous(std::string_view url, std::string_view value) {
  if (value == "full") return 2;
  if (value == "normal") return 1;
  if (value == "off") return 0;
  refuse(url, fmt::format("synchronous is \"{}\", and can be full, normal or off", value));
}

std::chrono::milliseconds read_timeout(std::string_view url, std::string_view value) {
  double seconds = -1;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  if (!whole || !(seconds >= 0 && seconds <= 1e9)) {
    refuse(url, fmt::format("timeout is \"{}\", and should be a number of seconds", value));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void read_parameter(std::string_view url, std::string_view parameter, parsed_url& into) {
  const auto equals = parameter.find('=');
  const auto name = parameter.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
  if (name == "synchronous") {
    into.settings.synchronous = read_synchronous(url, value);
  } else if (name == "timeout") {
    into.timeout = read_timeout(url, value);
  } else {
    refuse(url, fmt::format("it has the unknown parameter \"{}\"; known are synchronous and timeout", name));
  }
}

}  // namespace

parsed_url parse_url(std::string_view url) {
  if (!url.starts_with(scheme)) refuse(url, "it should begin with sqlite:");
  auto rest = url.substr(scheme.size());
  const auto question = rest.find('?');
  const auto file = rest.substr(0, question);
  if (file.empty()) refuse(url, "it names no file: write sqlite:FILE or sqlite::memory:");
  if (file.starts_with("//")) {
    refuse(url, "a file's path follows sqlite: at once, as in sqlite:jobs.db or sqlite:/var/lib/jobs.db");
  }
  parsed_url parsed;
  parsed.settings.file = file;
  while (question != std::string_view::npos) {
    rest = rest.substr(rest.find_first_of("?&") + 1);
    const auto next = rest.find('&');
    read_parameter(url, rest.substr(0, next), parsed);
    if (next == std::string_view::npos) break;
  }
  return parsed;
}

}  // namespace quarq::broker::sqlite
