// For threads, and for programs without coroutines: enqueues jobs and waits for their results, blocking.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/call.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/duration.hpp>
#include <quarq/detail/job_handle.hpp>
#include <quarq/job_filter.hpp>
#include <quarq/job_info.hpp>
#include <quarq/job_state.hpp>
#include <quarq/queue.hpp>
#include <quarq/time.hpp>

namespace quarq {

namespace clients {
class shared_loop;
}

/// A job of which a client knows the id, and what it returns. A value, for any thread; it may outlive its client.
template <class R>
class client_job {
 public:
  explicit client_job(std::string id) : id_(std::move(id)) {}
  const std::string& id() const noexcept { return id_; }

 private:
  std::string id_;
};

/// A queue for code that blocks, over one connection, which the first call opens and which is kept:
///
///     quarq::client client("redis://localhost");
///     const auto job = client.enqueue(count_words("to be or not to be"));
///     const int n = client.result(job, 5s);
///
/// Each call blocks its thread until the broker has answered, and returns and throws what the same call of
/// quarq::queue or quarq::job does. Besides, it throws closed_error when another thread closes the client, and
/// quarq::error in a copy of the process that fork() made: make another client there.
///
/// Thread safety: all members may be called by several threads at once, except for the destructor. A call from
/// a coroutine under quarq::run, whose loop it would block, throws std::logic_error: use quarq::queue there. On a
/// loop of your own nothing refuses it, and the loop stands still meanwhile.
class client {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// As those of quarq::queue. Starts a thread, which only looks after the connection between calls.
  explicit client(std::string broker = default_broker_url(), std::string queue = "default");
  /// Closes the connection. REQUIRES: no call is under way.
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  const std::string& broker_url() const noexcept { return queue_.broker_url(); }
  const std::string& queue_name() const noexcept { return queue_.name(); }

  /// Sends the call. When this returns the job is stored.
  template <class R>
  client_job<R> enqueue(call<R> c) {
    std::vector<detail::call_data> calls;
    calls.push_back(detail::call_access::take(std::move(c)));
    auto sent = wait_for(detail::enqueue(detail::queue_access::impl(queue_), std::move(calls)));
    if (!sent.front().accepted) throw duplicate_job(std::move(sent.front().id));
    return client_job<R>(std::move(sent.front().id));
  }

  /// Sends all calls in one step. Returns their jobs in the order of `calls`; nullopt where an id was taken.
  template <class R>
  std::vector<std::optional<client_job<R>>> enqueue(std::vector<call<R>> calls) {
    std::vector<detail::call_data> untyped;
    untyped.reserve(calls.size());
    for (auto& c : calls) untyped.push_back(detail::call_access::take(std::move(c)));
    auto sent = wait_for(detail::enqueue(detail::queue_access::impl(queue_), std::move(untyped)));
    std::vector<std::optional<client_job<R>>> jobs(sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (sent[i].accepted) jobs[i].emplace(std::move(sent[i].id));
    }
    return jobs;
  }

  /// A job that was enqueued elsewhere. Does not ask the broker whether it exists.
  template <class R>
  client_job<R> find(std::string id) const {
    return client_job<R>(std::move(id));
  }

  /// Waits until the job has ended and returns its result, or throws what ended it.
  template <class R>
  R result(const client_job<R>& job) {
    return typed_result<R>(job.id(), std::nullopt, {});
  }
  /// The same, but throws timed_out after `timeout`; the job goes on.
  template <class R, class Rep, class Period>
  R result(const client_job<R>& job, std::chrono::duration<Rep, Period> timeout) {
    return typed_result<R>(job.id(), detail::clamped<milliseconds>(timeout), {});
  }

  /// The same, and calls `on_progress(job_progress)` with what the job has said by context::progress(), and again
  /// when that has changed: in this thread, while it waits, and once more before this returns, if there is news.
  /// It does not hear every value: the worker tells the broker, and this asks the broker, four times a second at
  /// most. It may block, which holds up no other thread's calls, and may call this client, but not close it
  /// (std::logic_error). If it throws, this throws its exception; the job goes on.
  template <class R, class Progress>
    requires std::is_invocable_v<Progress&, const job_progress&>
  R result(const client_job<R>& job, Progress&& on_progress) {
    return typed_result<R>(job.id(), std::nullopt, by_reference(on_progress));
  }
  /// The same, but throws timed_out after `timeout`; the job goes on. While `on_progress` runs, this does not return.
  template <class R, class Rep, class Period, class Progress>
    requires std::is_invocable_v<Progress&, const job_progress&>
  R result(const client_job<R>& job, std::chrono::duration<Rep, Period> timeout, Progress&& on_progress) {
    return typed_result<R>(job.id(), detail::clamped<milliseconds>(timeout), by_reference(on_progress));
  }

  template <class R>
  job_state state(const client_job<R>& job) {
    return wait_for(handle(job.id()).state());
  }
  template <class R>
  job_info info(const client_job<R>& job) {
    return wait_for(handle(job.id()).info());
  }
  /// Requests cancellation, as quarq::job::cancel does.
  template <class R>
  cancel_outcome cancel(const client_job<R>& job) {
    return wait_for(handle(job.id()).cancel());
  }

  /// The same for many; returns what became of each, in their order.
  std::vector<cancel_outcome> cancel(std::vector<std::string> ids) {
    return wait_for(detail::cancel(detail::queue_access::impl(queue_), std::move(ids)));
  }
  template <class R>
  std::vector<cancel_outcome> cancel(const std::vector<client_job<R>>& jobs) {
    std::vector<std::string> ids;
    ids.reserve(jobs.size());
    for (const auto& one : jobs) ids.push_back(one.id());
    return cancel(std::move(ids));
  }

  /// As those of quarq::queue.
  cancelled_jobs cancel(job_filter which) {
    return wait_for(detail::cancel(detail::queue_access::impl(queue_), which));
  }
  std::size_t requeue(job_filter which) {
    return wait_for(detail::requeue(detail::queue_access::impl(queue_), which));
  }
  std::size_t purge(job_filter which) {
    return wait_for(detail::purge(detail::queue_access::impl(queue_), which));
  }
  job_list list(job_filter which, list_options how = {}) {
    return wait_for(detail::list(detail::queue_access::impl(queue_), which, how));
  }
  job_count count(job_filter which, list_options how = {}) {
    return wait_for(detail::count(detail::queue_access::impl(queue_), which, how));
  }
  std::vector<task_minute> stats(std::chrono::system_clock::time_point from,
                                 std::chrono::system_clock::time_point until,
                                 std::chrono::minutes step = std::chrono::minutes(1)) {
    return wait_for(detail::stats(detail::queue_access::impl(queue_), from, until, step));
  }
  bool pause() { return wait_for(detail::set_paused(detail::queue_access::impl(queue_), true)); }
  bool resume() { return wait_for(detail::set_paused(detail::queue_access::impl(queue_), false)); }
  bool is_paused() { return wait_for(detail::is_paused(detail::queue_access::impl(queue_))); }
  bool pause_cron(std::string name) {
    return wait_for(detail::set_cron_paused(detail::queue_access::impl(queue_), std::move(name), true));
  }
  bool resume_cron(std::string name) {
    return wait_for(detail::set_cron_paused(detail::queue_access::impl(queue_), std::move(name), false));
  }
  std::vector<std::string> paused_crons() {
    return wait_for(detail::paused_crons(detail::queue_access::impl(queue_)));
  }

  /// Closes the connection. Calls that are under way in other threads throw closed_error, as do later ones. Returns
  /// when all of them have.
  void close();

 private:
  detail::job_handle handle(const std::string& id) const {
    return detail::job_handle(detail::queue_access::impl(queue_), id);
  }

  // An empty one is none, as of quarq::job::result.
  template <class Progress>
  static detail::progress_function by_reference(Progress& on_progress) {
    if constexpr (!std::is_function_v<Progress> && requires { on_progress == nullptr; }) {
      if (on_progress == nullptr) return nullptr;
    }
    return std::ref(on_progress);
  }

  template <class R>
  R typed_result(const std::string& id, std::optional<milliseconds> timeout,
                 const detail::progress_function& on_progress) {
    const std::string encoded = result_of(id, timeout, on_progress);
    if constexpr (!std::is_void_v<R>) return from_msgpack<R>(encoded, "result of job " + id);
  }

  template <class T>
  T wait_for(awaitable<T> work) {
    std::optional<T> value;
    run(detail::store(std::move(work), value));
    return std::move(*value);
  }

  std::string result_of(const std::string& id, std::optional<milliseconds> timeout,
                        const detail::progress_function& on_progress);
  void run(awaitable<void> work);
  void check_process() const;

  const quarq::queue queue_;
  std::unique_ptr<clients::shared_loop> loop_;
};

}  // namespace quarq
