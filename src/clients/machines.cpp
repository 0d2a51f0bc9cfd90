#include <algorithm>
#include <exception>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/job.hpp>
#include <quarq/machines.hpp>

#include "async/auto_reset_event.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "clients/queue_impl.hpp"
#include "model/record.hpp"

namespace quarq::detail {
namespace {

namespace asio = boost::asio;
using model::milliseconds;
using steady = std::chrono::steady_clock;

// How long a caller that no longer wants its job waits until the broker knows.
constexpr milliseconds release_timeout{2'000};

// One call: shared by the coroutine that awaits its result and those that send the job and cancel it, which
// may outlive it.
struct remote_call {
  remote_call(const asio::any_io_executor& l, std::shared_ptr<clients::queue_impl> q, call_data c)
      : loop(l), queue(std::move(q)), task(c.task), call(std::move(c)), progressed(l) {}

  asio::any_io_executor loop;
  std::shared_ptr<clients::queue_impl> queue;
  std::string task;
  call_data call;
  progress_function on_progress;
  std::optional<milliseconds> deadline;
  std::optional<steady::time_point> ends_at;  // the deadline as a point in time
  bool expires_by_deadline = false;

  bool answered = false;               // the broker has stored the job or refused it
  std::exception_ptr enqueue_failure;  // why it was refused
  std::optional<job_handle> job;       // once it is stored
  bool progress_threw = false;         // on_progress has
  bool unwanted = false;               // nobody waits any more, and the job is not stored yet
  bool cancelled = false;              // the broker knows, or can't be told
  async::auto_reset_event progressed;  // one of these has changed
};
using call_ptr = std::shared_ptr<remote_call>;

// The deadline travels as the job's expiry, which counts from when the job is due.
void apply_deadline(remote_call& c) {
  auto& options = c.call.options;
  options.awaited = true;
  if (!c.deadline) return;
  c.ends_at = steady::now() + *c.deadline;
  milliseconds wait = options.delay;
  if (options.at) wait = std::chrono::ceil<milliseconds>(*options.at - std::chrono::system_clock::now());
  const milliseconds left = *c.deadline - std::max(wait, milliseconds{0});
  if (left < milliseconds{1}) {
    throw usage_error(fmt::format("{}: due in {} ms, and that is not within its deadline of {} ms", c.task,
                                  wait.count(), c.deadline->count()));
  }
  c.expires_by_deadline = !options.expires || *options.expires > left;
  if (c.expires_by_deadline) options.expires = left;
}

awaitable<void> cancel_job(call_ptr c) {
  try {
    co_await c->job->cancel();
  } catch (const std::exception& e) {
    base::log().warn("{} id={} could not be cancelled: {}", c->task, c->job->id(), e.what());
  }
  c->cancelled = true;
  c->progressed.set();
}

// Never cancelled: the job may be stored once it is sent, and then its id must be known.
awaitable<void> send(call_ptr c) {
  try {
    std::vector<call_data> one;
    one.push_back(std::move(c->call));
    const auto answers = co_await enqueue(c->queue, std::move(one));
    const auto& answer = answers.front();
    if (!answer.accepted) throw duplicate_job(answer.id);
    c->job.emplace(c->queue, answer.id);
  } catch (...) {
    c->enqueue_failure = std::current_exception();
  }
  c->answered = true;
  c->progressed.set();
  if (c->unwanted && c->job) co_await cancel_job(c);
}

std::optional<milliseconds> time_left(const remote_call& c) {
  if (!c.ends_at) return std::nullopt;
  return std::max(std::chrono::ceil<milliseconds>(*c.ends_at - steady::now()), milliseconds{0});
}

bool deadline_passed(const remote_call& c) {
  return c.ends_at && steady::now() >= *c.ends_at;
}

std::exception_ptr too_late(const remote_call& c) {
  return std::make_exception_ptr(
      timed_out(fmt::format("{} was not done within {}", c.task, base::human_duration(*c.deadline))));
}

// Notes that it was this that threw, and not the job.
progress_function watched_progress(const call_ptr& c) {
  if (!c->on_progress) return {};
  return [c](const job_progress& said) {
    try {
      c->on_progress(said);
    } catch (...) {
      c->progress_threw = true;
      throw;
    }
  };
}

awaitable<std::string> result_of(call_ptr c) {
  while (!c->answered && !deadline_passed(*c)) {
    const auto left = time_left(*c);
    if (left) {
      co_await c->progressed.wait_for(*left);
    } else {
      co_await c->progressed.wait();
    }
  }
  if (c->enqueue_failure) std::rethrow_exception(c->enqueue_failure);
  if (!c->job) std::rethrow_exception(too_late(*c));
  auto hearing = watched_progress(c);
  auto result = co_await c->job->result(time_left(*c), std::move(hearing));
  co_return result;
}

// Has the job cancelled. What takes longer than release_timeout goes on in the background.
awaitable<void> release(call_ptr c) {
  const auto give_up = steady::now() + release_timeout;
  const auto left = [&] { return std::chrono::ceil<milliseconds>(give_up - steady::now()); };
  while (!c->answered && left() > milliseconds{0}) co_await c->progressed.wait_for(left());
  if (!c->answered) {
    c->unwanted = true;
    co_return;
  }
  if (!c->job) co_return;
  asio::co_spawn(c->loop, cancel_job(c), asio::detached);
  while (!c->cancelled && left() > milliseconds{0}) co_await c->progressed.wait_for(left());
}

struct mapped_failure {
  std::exception_ptr thrown;  // to the caller
  bool release_job = false;   // it may still be there
};

mapped_failure map_failure(const remote_call& c, const std::exception_ptr& failure, bool was_cancelled) {
  if (was_cancelled) {
    return {std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)), true};
  }
  if (c.progress_threw) return {failure, true};
  try {
    std::rethrow_exception(failure);
  } catch (const timed_out&) {
    if (deadline_passed(c)) return {too_late(c), true};
  } catch (const job_expired&) {
    if (c.expires_by_deadline) return {too_late(c), false};
  } catch (...) {
  }
  return {failure, false};
}

awaitable<std::string> await_remote(call_ptr c) {
  asio::co_spawn(c->loop, send(c), asio::detached);
  std::exception_ptr failure;
  try {
    auto result = co_await result_of(c);
    co_return result;
  } catch (...) {
    failure = std::current_exception();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  const auto mapped = map_failure(*c, failure, state.cancelled() != asio::cancellation_type::none);
  if (mapped.release_job) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await release(c);
  }
  std::rethrow_exception(mapped.thrown);
}

awaitable<std::string> run_call(std::shared_ptr<clients::queue_impl> queue, call_data call,
                                std::optional<milliseconds> deadline, progress_function on_progress) {
  const auto loop = co_await asio::this_coro::executor;
  auto c = std::make_shared<remote_call>(loop, std::move(queue), std::move(call));
  c->deadline = deadline;
  c->on_progress = std::move(on_progress);
  apply_deadline(*c);
  // In a coroutine of its own, since it disables its cancellation to release the job: the caller stays
  // cancelled.
  auto remote = asio::co_spawn(loop, await_remote(std::move(c)), asio::use_awaitable);
  auto result = co_await std::move(remote);
  co_return result;
}

}  // namespace

awaitable<std::string> run_on_machines(const queue& where, call_data call,
                                       std::optional<milliseconds> deadline, progress_function on_progress) {
  return run_call(queue_access::impl(where), std::move(call), deadline, std::move(on_progress));
}

void check_deadline(std::optional<milliseconds> deadline) {
  if (!deadline || (*deadline >= milliseconds{1} && *deadline <= model::max_time)) return;
  throw usage_error(fmt::format("machines: deadline: expected 1 to {} ms, got {}", model::max_time.count(),
                                deadline->count()));
}

}  // namespace quarq::detail
