#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/detail/context_access.hpp>
#include <quarq/errors.hpp>
#include <quarq/rpc/http_machines.hpp>

#include "base/ids.hpp"
#include "clients/enqueue_spans.hpp"
#include "model/record.hpp"
#include "model/trace_context.hpp"
#include "rpc/call_span.hpp"
#include "rpc/failure.hpp"
#include "rpc/host_group.hpp"
#include "trace/tracer.hpp"

namespace quarq::detail {
namespace {

using std::chrono::milliseconds;

// What a call sets for a job is not to be lost without a word.
void check_options(const call_data& call) {
  const auto& o = call.options;
  const char* const only_for_jobs = o.id                         ? "id"
                                    : o.delay != milliseconds{0} ? "delay"
                                    : o.at                       ? "at"
                                    : o.priority                 ? "priority"
                                    : o.keep_result              ? "keep_result"
                                    : o.backoff && !o.attempts   ? "backoff"
                                                                 : nullptr;
  if (only_for_jobs != nullptr) {
    throw usage_error(
        fmt::format("{}: option {}: a call over HTTP is no job: enqueue it", call.task, only_for_jobs));
  }
  if (o.attempts && (*o.attempts < 1 || *o.attempts > 5)) {
    throw usage_error(fmt::format("{}: option attempts: expected 1 to 5, got {}", call.task, *o.attempts));
  }
}

// The shortest of what the hosts, the call and the handler around it allow.
void set_end(rpc::outgoing_call& out, const call_options& o, const rpc_terms& terms) {
  const auto now = rpc::steady::now();
  for (const auto& limit : {terms.deadline, o.timeout, o.expires}) {
    if (limit && (!out.limit || *limit < *out.limit)) out.limit = limit;
  }
  if (terms.ends_by) {
    const auto left = std::chrono::floor<milliseconds>(*terms.ends_by - now);
    if (!out.limit || left < *out.limit) out.limit = std::max(left, milliseconds{0});
  }
  if (out.limit) out.ends_at = now + *out.limit;
}

rpc::outgoing_call outgoing(call_data call, const rpc_terms& terms, int max_attempts) {
  check_options(call);
  rpc::outgoing_call out;
  set_end(out, call.options, terms);
  out.idempotent = terms.idempotent || call.options.attempts.value_or(1) > 1;
  out.max_attempts = call.options.attempts.value_or(max_attempts);
  if (out.idempotent) out.key = base::make_id();
  out.trace.traceparent = terms.traceparent;
  out.trace.tracestate = terms.tracestate;
  out.task = std::move(call.task);
  out.arguments = std::move(call.arguments);
  return out;
}

}  // namespace

std::shared_ptr<rpc::host_group> make_host_group(std::vector<std::string> hosts,
                                                 const http_machines_options& options) {
  check_rpc_deadline(options.deadline);
  return std::make_shared<rpc::host_group>(std::move(hosts), options);
}

namespace {

void set_trace(rpc_terms& terms, const context& caller) {
  call_options its;
  model::context_access::pass_trace(caller, its);
  const auto& labels = its.labels.get();
  if (!labels) return;
  const auto& headers = labels->headers;
  const auto state = headers.find(model::trace_state_header);
  terms.traceparent = headers.at(model::trace_header);
  terms.tracestate = state == headers.end() ? std::string() : state->second;
}

// A call that a job makes on its worker's loop belongs to its attempt, as what it enqueues does.
void set_trace_of_job(rpc_terms& terms, const boost::asio::any_io_executor& executor) {
  if (!trace::is_on() || !terms.traceparent.empty()) return;
  if (const auto* const job = clients::enqueue_spans::job_of(executor)) set_trace(terms, *job);
}

awaitable<std::string> run_traced(rpc::host_group& hosts, const rpc::outgoing_call& out,
                                  rpc::call_span& span) {
  rpc::call_route route;
  std::string result;
  std::exception_ptr thrown;
  try {
    result = co_await hosts.run(out, route);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (route.attempts > 0) span.sent_to(hosts.address_of(route.host), route.attempts);
  if (!thrown) {
    span.succeeded();
    co_return result;
  }
  span.failed(rpc::failure_of(thrown, out.task));
  std::rethrow_exception(thrown);
}

}  // namespace

awaitable<std::string> run_on_hosts(std::shared_ptr<rpc::host_group> hosts, call_data call, rpc_terms terms) {
  const auto executor = co_await boost::asio::this_coro::executor;
  set_trace_of_job(terms, executor);
  auto out = outgoing(std::move(call), terms, hosts->max_attempts());
  const auto span = rpc::call_span::begin(span_kind::client, out.task, out.trace);
  std::string result;
  if (span) {
    result = co_await run_traced(*hosts, out, *span);
  } else {
    rpc::call_route route;
    result = co_await hosts->run(out, route);
  }
  co_return result;
}

void limit_by(rpc_terms& terms, const context& caller) {
  const auto left = model::context_access::time_left(caller);
  if (left) {
    const auto end = *caller.deadline();
    terms.ends_by = std::min(terms.ends_by.value_or(end), end);
  }
  set_trace(terms, caller);
}

void check_rpc_deadline(std::optional<milliseconds> deadline) {
  if (!deadline || (*deadline >= milliseconds{1} && *deadline <= model::max_time)) return;
  throw usage_error(fmt::format("http_machines: deadline: expected 1 to {} ms, got {}",
                                model::max_time.count(), deadline->count()));
}

}  // namespace quarq::detail
