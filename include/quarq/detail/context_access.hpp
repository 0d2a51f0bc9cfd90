// The side of a quarq::context that handlers don't see: for what runs them.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/context.hpp>

namespace quarq::model {

struct context_access {
  static void request_stop(context& ctx) noexcept { ctx.stop_.request_stop(); }
  /// `encoded`: a msgpack array, which must live as long as the context.
  static void set_arguments(context& ctx, std::string_view encoded) noexcept { ctx.arguments_ = encoded; }
  static void set_state(context& worker, quarq::detail::state_map its) { worker.state_ = std::move(its); }
  /// Of a job's: that of its attempt, in place of the caller's.
  static void set_trace(context& job, const detail::traceparent& its) noexcept { job.facts_.trace = its; }
  /// Gives a call the trace of this job, unless it has one.
  static void pass_trace(const context& job, detail::call_options& to) { job.pass_trace(to); }
  /// Of a worker's context: that of its jobs' contexts, too.
  static void set_connection(context& worker, std::shared_ptr<clients::worker_connection> its) noexcept {
    worker.connection_ = std::move(its);
  }
  /// Null: what the handler says of the job goes nowhere. It must outlive the context.
  static void set_notes(context& job, quarq::detail::notes_sink* into) noexcept { job.notes_ = into; }
  static const detail::job_facts& facts(const context& ctx) noexcept { return ctx.facts_; }
  /// How long what a handler calls may take; nullopt: no limit. Throws timed_out if that is over.
  static std::optional<std::chrono::milliseconds> time_left(const context& ctx);
  /// Null in a process.
  static const std::shared_ptr<clients::worker_connection>& connection(const context& ctx) noexcept {
    return ctx.worker_ != nullptr ? ctx.worker_->connection_ : ctx.connection_;
  }
  /// So that what the handler enqueues later than its job ends is known.
  static void make_children(context& job) { job.children({.cancel_with_parent = true}); }
  /// Null for most.
  static const std::shared_ptr<clients::child_jobs>& children(const context& ctx) noexcept {
    return ctx.children_;
  }
};

}  // namespace quarq::model
