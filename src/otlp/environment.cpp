#include "otlp/environment.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <errno.h>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/hex.hpp"
#include "codecs/utf8.hpp"
#include "http/client/url.hpp"

namespace quarq::otlp {
namespace {

constexpr std::string_view traces_path = "/v1/traces";

// An empty one counts as not set.
std::optional<std::string> value_of(const environment& e, const std::string& name) {
  const char* const value = e.variable(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<std::size_t> number_of(const environment& e, const std::string& name) {
  const auto text = value_of(e, name);
  if (!text) return std::nullopt;
  std::size_t number = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failed == std::errc() && end == text->data() + text->size()) return number;
  e.warn(fmt::format("{}: expected a whole number, got \"{}\"", name, codecs::printable(*text, 40)));
  return std::nullopt;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text[i] == '%' ? codecs::byte_in_hex(text.substr(i + 1)) : std::nullopt;
    decoded += code ? static_cast<char>(*code) : text[i];
    if (code) i += 2;
  }
  return decoded;
}

// "a=1,b=two%20words", as W3C's Baggage has it, without properties. A value may be a secret.
std::vector<named_text> pairs_of(const environment& e, const std::string& name) {
  std::vector<named_text> found;
  const auto text = value_of(e, name);
  if (!text) return found;
  std::string_view left = *text;
  for (std::size_t number = 1; !left.empty(); ++number) {
    const auto comma = std::min(left.find(','), left.size());
    const auto item = base::trimmed(left.substr(0, comma));
    left.remove_prefix(std::min(comma + 1, left.size()));
    if (item.empty()) continue;
    const auto equals = item.find('=');
    const auto key = base::trimmed(item.substr(0, equals));
    if (equals == item.npos || key.empty()) {
      e.warn(fmt::format("{}: item {} is left out: expected NAME=VALUE", name, number));
      continue;
    }
    found.emplace_back(percent_decoded(key), percent_decoded(base::trimmed(item.substr(equals + 1))));
  }
  return found;
}

void put(std::vector<named_text>& all, std::string name, std::string value) {
  const auto same = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == name; });
  if (same != all.end()) {
    same->second = std::move(value);
  } else {
    all.emplace_back(std::move(name), std::move(value));
  }
}

}  // namespace

environment environment_of_this_program() {
  return {[](const char* name) -> const char* { return std::getenv(name); },
          [](const std::string& line) { base::log().warn("{}", line); }, program_invocation_short_name};
}

bool is_disabled(const environment& e) {
  auto text = value_of(e, "OTEL_SDK_DISABLED").value_or("");
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text == "true";
}

otlp_options options_from(const environment& e) {
  otlp_options o;
  const std::string of_all = "OTEL_EXPORTER_OTLP_", of_traces = "OTEL_EXPORTER_OTLP_TRACES_";
  o.endpoint = value_of(e, of_all + "ENDPOINT").value_or(o.endpoint);
  o.traces_url = value_of(e, of_traces + "ENDPOINT").value_or("");
  o.headers = pairs_of(e, of_all + "HEADERS");
  for (auto& [name, value] : pairs_of(e, of_traces + "HEADERS")) put(o.headers, name, std::move(value));
  auto timeout = number_of(e, of_traces + "TIMEOUT");
  if (!timeout) timeout = number_of(e, of_all + "TIMEOUT");
  if (timeout && *timeout > 0) o.timeout = std::chrono::milliseconds(*timeout);
  o.resource = pairs_of(e, "OTEL_RESOURCE_ATTRIBUTES");
  o.service_name = value_of(e, "OTEL_SERVICE_NAME").value_or("");
  if (const auto n = number_of(e, "OTEL_BSP_MAX_QUEUE_SIZE"); n && *n > 0) o.max_queue = *n;
  if (const auto n = number_of(e, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"); n && *n > 0) o.max_batch = *n;
  if (const auto n = number_of(e, "OTEL_BSP_SCHEDULE_DELAY")) o.delay = std::chrono::milliseconds(*n);
  o.max_batch = std::min(o.max_batch, o.max_queue);
  return o;
}

std::string url_of(const otlp_options& options) {
  const bool is_whole = !options.traces_url.empty();
  auto url = is_whole ? options.traces_url : options.endpoint;
  try {
    const auto parsed = http::parse_url(url);
    if (is_whole || parsed.target.ends_with(traces_path)) return url;
    if (parsed.target.find('?') != std::string::npos) throw usage_error("it has a query");
  } catch (const usage_error& e) {
    throw usage_error(fmt::format(
        "traces: expected the URL of a collector, like http://127.0.0.1:4318, or \"env\": {}", e.what()));
  }
  while (url.ends_with('/')) url.pop_back();
  return url.append(traces_path);
}

std::vector<named_text> resource_of(const otlp_options& options, const environment& e) {
  std::vector<named_text> all = {{"service.name", "unknown_service:" + e.program}};
  for (const auto& [name, value] : options.resource) put(all, name, value);
  if (!options.service_name.empty()) put(all, "service.name", options.service_name);
  put(all, "process.pid", std::to_string(::getpid()));
  put(all, "telemetry.sdk.name", "quarq");
  put(all, "telemetry.sdk.language", "cpp");
  put(all, "telemetry.sdk.version", QUARQ_VERSION);
  return all;
}

}  // namespace quarq::otlp
