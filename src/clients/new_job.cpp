#include "clients/new_job.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/ids.hpp"
#include "codecs/utf8.hpp"
#include "model/record.hpp"

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
}

}  // namespace

broker::new_job to_job(detail::call_data call) {
  check_options(call);
  auto& o = call.options;
  broker::new_job job;
  job.id_is_fresh = !o.id;
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
  job.record = model::encode(r);
  return job;
}

}  // namespace quarq::clients
