#include "clients/new_job.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/ids.hpp"
#include "codecs/utf8.hpp"
#include "model/record.hpp"
#include "model/trace_context.hpp"

namespace quarq::clients {
namespace {

using model::max_time;
using model::milliseconds;

template <class T>
void check_range(const detail::call_data& call, const char* option, const std::optional<T>& value, T min,
                 T max, const char* unit = "") {
  if (!value || (*value >= min && *value <= max)) return;
  const auto number = [](auto v) {
    if constexpr (requires { v.count(); })
      return static_cast<long long>(v.count());
    else
      return static_cast<long long>(v);
  };
  throw usage_error(fmt::format("{}: option {}: expected {} to {}{}, got {}", call.task, option, number(min),
                                number(max), unit, number(*value)));
}

void check_time(const detail::call_data& call, const char* option, std::optional<milliseconds> value,
                milliseconds min) {
  check_range(call, option, value, min, max_time, " ms");
}

constexpr std::size_t max_header_name = 64, max_tag = 64, max_tags = 16, max_label_bytes = 4'096;

bool is_header_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= max_header_name && std::all_of(name.begin(), name.end(), fits);
}

void check_labels(const detail::call_data& call, const detail::labels& some) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : some.headers) {
    if (!is_header_name(name)) {
      throw usage_error(
          fmt::format("{}: header \"{}\": expected a name of 1 to {} letters, digits, -, _ and .", call.task,
                      codecs::printable(name, 80), max_header_name));
    }
    if (!codecs::is_utf8(value))
      throw usage_error(fmt::format("{}: header {}: its value is not UTF-8", call.task, name));
    // Where calls are traced, each has it: none is to be refused for that.
    if (name != model::trace_header) bytes += name.size() + value.size();
  }
  for (const auto& tag : some.tags) {
    if (tag.empty() || tag.size() > max_tag || !codecs::is_utf8(tag)) {
      throw usage_error(fmt::format("{}: tag \"{}\": expected 1 to {} bytes of UTF-8", call.task,
                                    codecs::printable(tag, 80), max_tag));
    }
    bytes += tag.size();
  }
  if (some.tags.size() > max_tags)
    throw usage_error(
        fmt::format("{}: expected {} tags at most, got {}", call.task, max_tags, some.tags.size()));
  if (bytes > max_label_bytes) {
    throw usage_error(fmt::format("{}: its headers and tags have {} bytes together, and {} are the most",
                                  call.task, bytes, max_label_bytes));
  }
  if (some.version < 0)
    throw usage_error(fmt::format("{}: version: expected a number from 1, got {}", call.task, some.version));
}

void check_options(const detail::call_data& call) {
  const auto& o = call.options;
  if (o.id && (o.id->empty() || o.id->size() > 255)) {
    throw usage_error(fmt::format("{}: option id: expected 1 to 255 bytes, got {}", call.task, o.id->size()));
  }
  if (o.id && !codecs::is_utf8(*o.id)) {
    throw usage_error(
        fmt::format("{}: option id: expected UTF-8, got \"{}\"", call.task, codecs::printable(*o.id, 80)));
  }
  check_time(call, "delay", o.delay, milliseconds{0});
  check_time(call, "expires", o.expires, milliseconds{1});
  check_range(call, "priority", o.priority, broker::min_priority, broker::max_priority);
  check_time(call, "timeout", o.timeout, milliseconds{1});
  check_range(call, "attempts", o.attempts, 1, 1'000'000);
  if (o.backoff) {
    check_time(call, "backoff (first pause)", o.backoff->first(), milliseconds{0});
    check_time(call, "backoff (longest pause)", o.backoff->max(), milliseconds{0});
  }
  if (o.keep_result) check_time(call, "keep_result", o.keep_result->duration(), milliseconds{0});
  if (o.labels.get()) check_labels(call, *o.labels.get());
}

}  // namespace

broker::new_job to_job(detail::call_data call) {
  check_options(call);
  auto& o = call.options;
  broker::new_job job;
  job.id_is_fresh = !o.id || o.id_is_fresh;
  job.id = o.id ? std::move(*o.id) : base::make_id();
  job.priority = o.priority.value_or(job.priority);
  job.delay = o.delay;
  if (o.at) job.at = std::chrono::floor<milliseconds>(*o.at);
  job.expires = o.expires;
  model::record r;
  r.task = std::move(call.task);
  r.arguments = std::move(call.arguments);
  r.keywords = std::move(call.keywords);
  r.timeout = o.timeout;
  r.max_attempts = o.attempts;
  r.backoff = o.backoff;
  r.keep_result = o.keep_result;
  r.awaited = o.awaited;
  r.labels = o.labels.get();
  job.record = model::encode(r);
  job.task = std::move(r.task);
  return job;
}

}  // namespace quarq::clients
