// Where calls are sent to become jobs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>
#include <quarq/job.hpp>
#include <quarq/task.hpp>

struct sqlite3;

namespace quarq {

class machines;

/// The environment variable QUARQ_BROKER, or "sqlite:jobs.db" without it.
std::string default_broker_url();

namespace detail {

/// A call without its type.
struct raw_call {
  std::string task;
  std::string arguments;
  call_options options;

  template <class R>
  explicit raw_call(call<R>&& c) : task(c.task()), arguments(c.arguments()), options(c.options()) {}
};

struct enqueued {
  std::string id;
  bool accepted;
};

awaitable<std::vector<enqueued>> enqueue(std::shared_ptr<queue_core> queue, std::vector<raw_call> calls);
enqueued enqueue_in_transaction(queue_core& queue, sqlite3* transaction, raw_call call);

}  // namespace detail

/// A queue of jobs at a broker. Nothing is opened before the first use. Cheap to copy; copies share one
/// connection.
///
/// Belongs to the loop on which it is first used: from another one it throws std::logic_error (give each loop
/// a queue of its own). It may outlive that loop, and is then free to be used on the next.
class queue {
 public:
  /// `broker`: sqlite:FILE, sqlite::memory:, redis://..., rediss://..., redis+unix://...,
  /// redis+sentinel://..., or arq in place of redis; throws invalid_argument for what is none of these.
  /// `name`: 1 to 100 characters, no white space, no braces.
  explicit queue(std::string broker = default_broker_url(), std::string name = "default");

  const std::string& name() const noexcept;
  const std::string& broker_url() const noexcept;

  /// Sends the call. When this returns the job is stored and will run at least once. Throws duplicate_job if
  /// its id is taken, invalid_argument if an option is out of its range, broker_error if the broker can't be
  /// reached.
  template <class R>
  awaitable<job<R>> enqueue(call<R> c) const {
    const std::string wanted = c.options().id.value_or("");
    std::vector<detail::raw_call> calls;
    calls.emplace_back(std::move(c));
    const auto sent = co_await detail::enqueue(core_, std::move(calls));
    if (!sent.front().accepted) throw duplicate_job(wanted);
    co_return job<R>(detail::job_handle(core_, sent.front().id, true));
  }

  /// Sends them all in one step and one round trip. In the order of `calls`; nothing where an id was taken.
  template <class R>
  awaitable<std::vector<std::optional<job<R>>>> enqueue(std::vector<call<R>> calls) const {
    std::vector<detail::raw_call> raw;
    raw.reserve(calls.size());
    for (auto& c : calls) raw.emplace_back(std::move(c));
    auto sent = co_await detail::enqueue(core_, std::move(raw));
    std::vector<std::optional<job<R>>> jobs(sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (sent[i].accepted) jobs[i].emplace(detail::job_handle(core_, std::move(sent[i].id), true));
    }
    co_return jobs;
  }

  /// Sends the call within the caller's own transaction on the same SQLite file: the job exists if and when
  /// `transaction` commits. Needs a sqlite: broker; `transaction` is used only during the call. Throws as
  /// enqueue does.
  template <class R>
  job<R> enqueue(call<R> c, sqlite3* transaction) const {
    const std::string wanted = c.options().id.value_or("");
    auto sent = detail::enqueue_in_transaction(*core_, transaction, detail::raw_call(std::move(c)));
    if (!sent.accepted) throw duplicate_job(wanted);
    return job<R>(detail::job_handle(core_, std::move(sent.id), true));
  }

  /// A handle to a job that somebody else enqueued. Does not ask whether it exists.
  template <class R>
  job<R> find(std::string id) const {
    return job<R>(detail::job_handle(core_, std::move(id), false));
  }

 private:
  friend class machines;
  std::shared_ptr<detail::queue_core> core_;
};

}  // namespace quarq
