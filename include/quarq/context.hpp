// What a handler knows of its job, and the state it shares with other jobs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <quarq/detail/context.hpp>
#include <quarq/detail/must_await.hpp>
#include <quarq/errors.hpp>

namespace quarq {

template <class Signature>
class task;
template <class R>
class call;
class queue;
class machines;
struct machines_options;
namespace clients {
class worker_connection;
class queue_impl;
class child_jobs;
}  // namespace clients
namespace model {
struct context_access;
}
namespace detail {
struct call_options;
class notes_sink;
}  // namespace detail

/// What context::enqueue may be told of the new job.
struct enqueue_options {
  /// Another queue at the worker's broker. Empty: the job's own queue.
  std::string_view queue = {};
  /// Cancel the new job, unless it has ended by then, when this attempt of the job that enqueues it ends in any
  /// way but success: it failed, timed out, was cancelled, or is handed back. The worker that ran the attempt
  /// does it: if that is lost, the new job stays (docs/delivery.md).
  bool cancel_with_parent = false;
};

/// Handlers, and the hooks before_job and after_job, get the context of their job; on_startup and on_shutdown
/// get the worker's own. State in the worker's context lives as long as the worker, and all jobs see it;
/// state in a job's context lives as long as this attempt. References to state are valid for as long.
///
/// Thread safety: a job's context is used by that job alone. All jobs read the worker's state at the same
/// time, also from the threads that run plain functions: an object that changes needs its own lock.
class context {
 public:
  explicit context(const context* worker = nullptr, detail::job_facts facts = {})
      : worker_(worker), facts_(std::move(facts)) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// The job's id. Empty in the worker's context, like the next ones.
  const std::string& id() const noexcept { return facts_.id; }
  const std::string& task() const noexcept { return facts_.task; }
  const std::string& queue_name() const noexcept { return facts_.queue; }
  /// How often the job has been started, this time included, without the starts that were lost.
  int attempt() const noexcept { return facts_.attempts; }
  /// How often the job was lost with the worker that had it: then it may have had effects before.
  int losses() const noexcept { return facts_.losses; }
  std::chrono::sys_time<std::chrono::milliseconds> enqueued_at() const noexcept { return facts_.enqueued_at; }
  /// The time it was meant for: its time on the schedule, if it is the run of a cron job. Without a delay:
  /// enqueued_at().
  std::chrono::sys_time<std::chrono::milliseconds> due_at() const noexcept { return facts_.due_at; }

  /// When the caller stops waiting: of a call by quarq::machines or quarq::http_machines that has a deadline. The
  /// handler is asked to stop then. nullopt: nobody waits, or without a limit.
  ///
  /// What is enqueued and called by this context, or within it, has no later deadline: enqueue() makes a job that
  /// is due at once expire then, machines() and http_machines::within() take what is left. handler_options::
  /// pass_deadline changes that. Once it has passed, they throw timed_out.
  std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept { return facts_.deadline; }
  /// The trace that the call belongs to, as W3C's Trace Context writes it; empty if the caller has sent none. What is
  /// enqueued by this context belongs to it, too, unless it has headers of its own for that.
  std::string traceparent() const;

  /// What call::header(), call::tag() and call::version() have set. Version 0: none was.
  const std::map<std::string, std::string>& headers() const noexcept { return labels().headers; }
  const std::vector<std::string>& tags() const noexcept { return labels().tags; }
  int version() const noexcept { return labels().version; }

  /// The job's arguments as text, in the order of its task's parameters: "[\"http://a\", 3]", as
  /// docs/payload.md says. At most `limit` bytes; longer text is cut, ends in "…", and is then no longer
  /// JSON. Empty in the worker's context.
  std::string arguments_json(std::size_t limit = std::string::npos) const;

  /// The job's arguments, for hooks, which see the jobs of all tasks:
  ///     if (ctx.task() == count_words.name()) {
  ///       const auto [url] = ctx.arguments(count_words);
  /// Each call decodes them again. Throws usage_error, naming both tasks, if this is a job of another
  /// task or the worker's context; decode_error if the arguments are not what this task takes.
  template <class R, class... Args>
  auto arguments(const quarq::task<R(Args...)>& what) const {
    try {
      return what.decode(encoded_arguments(what.name()));
    } catch (const decode_error& e) {
      throw detail::bad_payload(e);
    }
  }

  /// Sends the call to the job's own queue, or to another one at the worker's broker, over the connection that the
  /// worker has already: `const auto part = co_await ctx.enqueue(resize(file));`. Returns and throws what
  /// queue::enqueue does, and usage_error like queue(). While the broker can't be reached, it waits, as the
  /// worker does. To call it, include <quarq/queue.hpp>, as <quarq/worker.hpp> does.
  template <class R>
  [[QUARQ_MUST_AWAIT]] auto enqueue(call<R> c, enqueue_options how = {});
  /// The same for many calls, which are sent together.
  template <class R>
  [[QUARQ_MUST_AWAIT]] auto enqueue(std::vector<call<R>> calls, enqueue_options how = {});

  /// The job's own queue, or the one with this name, at the worker's broker and over the worker's connection. It is
  /// for coroutines on the worker's loop, while the worker runs: after that each of its calls throws usage_error,
  /// and on another loop (that of a coroutine handler on level::thread) std::logic_error. To close it changes nothing.
  /// A queue of your own has none of these limits.
  ///
  /// Throws usage_error if there is no such connection (in a process of level::process, or when the worker has
  /// ended); without a name, also in the worker's own context, where there is no job whose queue it could be.
  quarq::queue queue() const;
  quarq::queue queue(std::string_view name) const;

  /// The workers of that queue, as a place to run tasks: `co_await ctx.machines().run(resize, file)`. As queue(), and
  /// to be used with <quarq/machines.hpp>.
  quarq::machines machines() const;
  quarq::machines machines(const machines_options& options) const;
  quarq::machines machines(std::string_view queue) const;
  quarq::machines machines(std::string_view queue, const machines_options& options) const;

  /// Adds to the job's log, which operators read (`quarq job ID`, the dashboard), also while it runs: one line, or one
  /// for each line of `text`. Of all that a job logs, in all its attempts, the newest 100 lines are kept, 8 KiB at
  /// most, a line of more than 1 KiB cut; and how many were left out. They go to the store together, four times a
  /// second at most, and with the end of the attempt, for as long as that is kept. What a worker that is lost has not
  /// sent is lost. In a process, what a handler says, or a function that its handler has called there, goes to the job
  /// as well. In a call over HTTP, which is no job, the lines go to the server's log (docs/rpc.md). Does nothing in the
  /// worker's own context, and in a process that was not called for a job.
  void log(std::string_view text) const;
  /// Says how far the job is, in units of the handler's choice; `total` 0: nobody knows. The last call counts. Sent,
  /// kept and shown as log(), and told to those that wait for the job and want to hear it: job::result(on_progress),
  /// machines::with_progress() and the callback of a map on machines.
  void progress(std::uint64_t done, std::uint64_t total) const;

  /// Stop is requested when the job is cancelled or times out, or when the worker shuts down. A function that
  /// stops for it must throw (any exception; quarq::cancelled says it best): one that returns has done its
  /// work, and its job has succeeded.
  std::stop_token stop_token() const noexcept { return stop_.get_token(); }

  /// Makes a T in this context, in place of one that is there already.
  template <class T, class... Args>
  T& emplace(Args&&... args) {
    auto object = std::make_shared<T>(std::forward<Args>(args)...);
    auto& reference = *object;
    state_.put(typeid(T), std::move(object));
    return reference;
  }

  /// The job's T, or else the worker's. Throws quarq::error naming T if there is none.
  template <class T>
  T& state() const {
    void* found = state_.find(typeid(T));
    if (found == nullptr && worker_ != nullptr) found = worker_->state_.find(typeid(T));
    if (found == nullptr) detail::throw_no_state(typeid(T));
    return *static_cast<T*>(found);
  }

 private:
  friend struct model::context_access;

  std::string_view encoded_arguments(std::string_view task) const;
  /// The one with this name; the job's own, if that is empty.
  std::shared_ptr<clients::queue_impl> open_queue(std::string_view name) const;
  /// Null, unless they are to be cancelled with this job.
  std::shared_ptr<clients::child_jobs> children(const enqueue_options& how);
  /// Gives a job that is to be enqueued what it has of this one: a deadline, a trace. Throws timed_out.
  void limit(detail::call_options& options) const;
  void pass_trace(detail::call_options& options) const;
  const detail::labels& labels() const noexcept;

  const context* worker_;
  detail::job_facts facts_;
  std::string_view arguments_;
  detail::state_map state_;
  std::stop_source stop_;
  std::shared_ptr<clients::worker_connection> connection_;  // of the worker's context
  std::shared_ptr<clients::child_jobs> children_;
  detail::notes_sink* notes_ = nullptr;
};

}  // namespace quarq
