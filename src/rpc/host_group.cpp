#include "rpc/host_group.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/time.hpp>

#include "base/text.hpp"
#include "codecs/json.hpp"
#include "http/client/url.hpp"
#include "rpc/codes.hpp"
#include "rpc/path_text.hpp"
#include "rpc/wire.hpp"

namespace quarq::rpc {
namespace {

constexpr std::size_t max_connections = 10'000;
constexpr std::size_t max_connections_per_host = 256;
constexpr std::chrono::milliseconds without_limit = std::chrono::hours(24 * 365);

http::client_options settings_of(const http_machines_options& options) {
  auto o = options.web;
  o.max_connections = std::max(o.max_connections, max_connections);
  o.max_connections_per_host = std::max(o.max_connections_per_host, max_connections_per_host);
  o.max_redirects = 0;
  o.retries.max_attempts = 1;
  return o;
}

std::string url_of(std::string host) {
  if (!host.starts_with("http://") && !host.starts_with("https://")) {
    throw usage_error(fmt::format("http_machines: expected a host as http://host:port, got \"{}\"", host));
  }
  if (host.find_first_of("?#", 0) != host.npos) {
    throw usage_error(fmt::format("http_machines: {} can't have a query or a fragment", host));
  }
  while (host.ends_with('/')) host.pop_back();
  return host + "/rpc/";
}

std::vector<std::string> urls_of(std::vector<std::string> hosts) {
  if (hosts.empty()) throw usage_error("http_machines: expected at least one host");
  for (auto& host : hosts) host = url_of(std::move(host));
  return hosts;
}

std::vector<trace::broker_address> addresses_of(const std::vector<std::string>& urls) {
  std::vector<trace::broker_address> all;
  for (const auto& one : urls) {
    const auto read = http::parse_url(one);
    all.push_back({read.host, read.port});
  }
  return all;
}

std::exception_ptr too_late(const outgoing_call& call) {
  return std::make_exception_ptr(timed_out(fmt::format(
      "{} was not done within {}", call.task, base::human_duration(call.limit.value_or(milliseconds{0})))));
}

milliseconds until_deadline(const outgoing_call& call) {
  if (!call.ends_at) return milliseconds::max();
  return std::chrono::floor<milliseconds>(*call.ends_at - steady::now());
}

http::fields fields_of(const outgoing_call& call, int attempt, std::string_view timeout) {
  http::fields headers;
  headers.set(attempt_field, std::to_string(attempt));
  if (!timeout.empty()) headers.set(timeout_field, timeout);
  if (!call.trace.traceparent.empty()) headers.set(trace_field, call.trace.traceparent);
  if (!call.trace.tracestate.empty()) headers.set(trace_state_field, call.trace.tracestate);
  // Lets the client replace a connection that was dead.
  if (call.idempotent) headers.set("Idempotency-Key", call.key);
  return headers;
}

// Tells the balancer what has become of a call, also when that is cancelled.
class under_way {
 public:
  under_way(balancer& of, const balancer::ticket& call) : of_(of), call_(call) {}
  ~under_way() { of_.ended(call_, shown, steady::now()); }
  under_way(const under_way&) = delete;
  under_way& operator=(const under_way&) = delete;
  host_result shown = host_result::unknown;

 private:
  balancer& of_;
  balancer::ticket call_;
};

}  // namespace

attempt_end end_by_answer(http::response answer) {
  attempt_end end;
  if (answer.status == 200) {
    const auto type = encoding_of(answer.headers["Content-Type"]);
    end.result = type == encoding::msgpack ? std::move(answer.body) : codecs::json_to_msgpack(answer.body);
    return end;
  }
  auto f = read_failure(answer);
  end.may_be_mended = f.code == code::unavailable || !f.started;
  if (f.code == code::invalid_argument || f.code == code::unimplemented) end.may_be_mended = false;
  // A handler that says so itself is not its host's failure.
  const bool is_ours = !f.type.empty();
  if (f.code == code::unavailable && !is_ours) end.shown = host_result::failed;
  end.why = std::move(f);
  return end;
}

attempt_end end_by_error(const http::request_error& e) {
  attempt_end end;
  end.may_be_mended = true;
  end.shown = e.timed_out() ? host_result::failed : host_result::lost;
  failure f;
  f.code = code::unavailable;
  f.type = "quarq::http::request_error";
  f.message = e.what();
  f.started = e.may_have_arrived();
  end.why = std::move(f);
  return end;
}

host_group::host_group(std::vector<std::string> hosts, const http_machines_options& options)
    : urls_(urls_of(std::move(hosts))),
      addresses_(addresses_of(urls_)),
      web_(settings_of(options)),
      token_(options.token),
      max_attempts_(options.max_attempts),
      attempt_timeout_(options.attempt_timeout),
      balancer_(urls_.size(), {}, [this] { return std::uniform_real_distribution<>(0, 1)(random_); }) {
  if (max_attempts_ < 1 || max_attempts_ > 5)
    throw usage_error(fmt::format("http_machines: max_attempts: expected 1 to 5, got {}", max_attempts_));
  if (attempt_timeout_ && *attempt_timeout_ < milliseconds{1}) {
    throw usage_error(fmt::format("http_machines: attempt_timeout: expected at least 1 ms, got {}",
                                  attempt_timeout_->count()));
  }
}

std::optional<milliseconds> host_group::time_for(const outgoing_call& call) const {
  std::optional<milliseconds> time;
  if (call.ends_at) time = until_deadline(call);
  if (call.idempotent && attempt_timeout_)
    time = std::min(time.value_or(*attempt_timeout_), *attempt_timeout_);
  return time;
}

// The host has ended the attempt in time, and the call's own deadline is farther.
bool host_group::is_slow_attempt(const outgoing_call& call, const failure& f) const {
  if (f.code != code::deadline_exceeded || !call.idempotent || !attempt_timeout_) return false;
  return until_deadline(call) > milliseconds{0};
}

awaitable<attempt_end> host_group::send(const outgoing_call& call, int attempt, std::size_t host) {
  const auto time = time_for(call);
  const auto headers = fields_of(call, attempt, time ? timeout_text(*time) : std::string());
  const auto url = urls_[host] + path_text(call.task);
  http::request_options options;
  options.timeout = time.value_or(without_limit);
  options.body = call.arguments;
  options.content_type = content_type_of(encoding::msgpack);
  options.headers = headers;
  options.bearer = token_;
  attempt_end end;
  try {
    auto answer = co_await web_.post(url, options);
    end = end_by_answer(std::move(answer));
    if (end.why && is_slow_attempt(call, *end.why)) {
      end.may_be_mended = true;
      end.shown = host_result::failed;
    }
  } catch (const http::request_error& e) {
    end = end_by_error(e);
  }
  co_return end;
}

std::string host_group::all_are_out() const {
  return fmt::format("none of {} hosts is in service; the last failure: {}", urls_.size(), last_failure_);
}

awaitable<std::string> host_group::run(const outgoing_call& call, call_route& route) {
  std::optional<std::size_t> last_host;
  for (int attempt = 1;; ++attempt) {
    if (until_deadline(call) < milliseconds{1}) std::rethrow_exception(too_late(call));
    lost_attempt lost;
    attempt_end end;
    bool was_known = false;
    const auto picked = balancer_.pick(steady::now(), last_host);
    if (picked) {
      under_way call_under_way(balancer_, *picked);
      ++route.attempts;
      route.host = picked->host;
      auto sent = co_await send(call, attempt, picked->host);
      end = std::move(sent);
      call_under_way.shown = end.shown;
      was_known = balancer_.was_known(*picked);
      last_host = picked->host;
    } else {
      end.may_be_mended = true;
      end.why.emplace();
      end.why->code = code::unavailable;
      end.why->message = all_are_out();
      end.why->started = false;
    }
    if (!end.why) {
      throttle_.succeeded();
      co_return std::move(end.result);
    }
    if (!end.may_be_mended) std::rethrow_exception(to_exception(*end.why));
    if (picked) {
      last_failure_ = end.why->message;
      if (!was_known) throttle_.failed();
      lost.has_another_host = balancer_.has_another(picked->host);
    }
    lost.attempt = attempt;
    lost.max_attempts = call.max_attempts;
    lost.idempotent = call.idempotent;
    lost.may_have_started = end.why->started;
    lost.pushback = end.why->retry_after;
    lost.until_deadline = until_deadline(call);
    lost.random = std::uniform_real_distribution<>(0, 1)(random_);
    if (lost.until_deadline < milliseconds{1}) std::rethrow_exception(too_late(call));
    const auto pause = pause_before_retry(lost, throttle_);
    if (!pause) std::rethrow_exception(to_exception(*end.why));
    if (*pause > milliseconds{0}) co_await sleep_for(*pause);
  }
}

}  // namespace quarq::rpc
