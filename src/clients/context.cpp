// What a quarq::context reaches over its worker's connection.
#include <chrono>
#include <optional>
#include <utility>

#include <quarq/context.hpp>
#include <quarq/detail/context_access.hpp>
#include <quarq/detail/enqueue.hpp>
#include <quarq/errors.hpp>
#include <quarq/machines.hpp>
#include <quarq/queue.hpp>

#include "clients/queue_impl.hpp"
#include "clients/worker_connection.hpp"
#include "model/trace_context.hpp"

namespace quarq {

std::shared_ptr<clients::queue_impl> context::open_queue(std::string_view name) const {
  const auto& connection = model::context_access::connection(*this);
  if (!connection) {
    throw usage_error(
        "context: there is no connection to a broker here: a handler on level::process has none, and makes a "
        "quarq::queue of its own");
  }
  if (name.empty()) name = facts_.queue;
  if (name.empty()) {
    throw usage_error(
        "context: there is no job here whose queue it could be: name one, as in ctx.queue(\"mail\") or "
        "ctx.enqueue(call, {.queue = \"mail\"})");
  }
  return connection->queue(name);
}

std::shared_ptr<clients::child_jobs> context::children(const enqueue_options& how) {
  if (!how.cancel_with_parent) return nullptr;
  if (facts_.id.empty()) {
    throw usage_error("context: cancel_with_parent: there is no job here with which it could be cancelled");
  }
  if (!children_) {
    children_ = std::make_shared<clients::child_jobs>(model::context_access::connection(*this));
  }
  return children_;
}

void context::pass_trace(detail::call_options& options) const {
  if (!facts_.trace.is_set()) return;
  const auto& own = options.labels.get();
  if (own && own->headers.contains(model::trace_header)) return;
  options.labels.set_header(model::trace_header, traceparent());
  // It is a part of the caller's trace, and an attempt may have begun one of its own.
  const auto caller = headers().find(model::trace_header);
  if (caller == headers().end()) return;
  if (model::parse_traceparent(caller->second).trace_id != facts_.trace.trace_id) return;
  const auto state = headers().find(model::trace_state_header);
  if (state != headers().end()) options.labels.set_header(state->first, state->second);
}

std::optional<std::chrono::milliseconds> model::context_access::time_left(const context& ctx) {
  using std::chrono::milliseconds;
  if (!ctx.facts_.deadline || !ctx.facts_.passes_deadline) return std::nullopt;
  const auto left = std::chrono::floor<milliseconds>(*ctx.facts_.deadline - std::chrono::steady_clock::now());
  if (left >= milliseconds{1}) return left;
  throw timed_out("the deadline of " + ctx.facts_.task + " has passed: it calls and enqueues nothing more");
}

// One that is due later is meant for after the call.
void context::limit(detail::call_options& options) const {
  pass_trace(options);
  if (options.delay > std::chrono::milliseconds{0} || options.at) return;
  const auto left = model::context_access::time_left(*this);
  if (left && (!options.expires || *options.expires > *left)) options.expires = left;
}

namespace {

machines_options limited(machines_options options, const context& by) {
  const auto left = model::context_access::time_left(by);
  if (left && (!options.deadline || *options.deadline > *left)) options.deadline = left;
  return options;
}

}  // namespace

queue context::queue() const {
  return queue({});
}
queue context::queue(std::string_view name) const {
  return detail::queue_access::make(open_queue(name));
}

machines context::machines() const {
  return quarq::machines(queue(), limited({}, *this));
}
machines context::machines(const machines_options& options) const {
  return quarq::machines(queue(), limited(options, *this));
}
machines context::machines(std::string_view where) const {
  return quarq::machines(queue(where), limited({}, *this));
}
machines context::machines(std::string_view where, const machines_options& options) const {
  return quarq::machines(queue(where), limited(options, *this));
}

}  // namespace quarq
