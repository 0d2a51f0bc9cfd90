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
#include "clients/queue_core.hpp"
#include "model/record.hpp"

namespace quarq::detail {
namespace {

namespace asio = boost::asio;
using model::milliseconds;
using steady = std::chrono::steady_clock;

// How long one who no longer wants a job waits until the broker knows.
constexpr milliseconds max_farewell{2'000};

// One call: shared by the coroutine that awaits its result and those that send the job and take it back,
// which may take longer.
struct remote_call {
  remote_call(const asio::any_io_executor& l, std::shared_ptr<queue_core> q, raw_call c)
      : loop(l), queue(std::move(q)), task(c.task), call(std::move(c)), progressed(l) {}

  asio::any_io_executor loop;
  std::shared_ptr<queue_core> queue;
  std::string task;
  raw_call call;
  std::optional<milliseconds> deadline;
  std::optional<steady::time_point> ends;  // the deadline as a moment
  bool returns_nothing = false;
  bool expires_by_deadline = false;

  bool sent = false;              // or refused
  std::exception_ptr refused;     // why
  std::optional<job_handle> job;  // once it is stored
  bool unwanted = false;          // nobody waits any more, and the job is not stored yet
  bool taken_back = false;        // the broker knows, or can't be told
  async::auto_reset_event progressed;        // one of these has changed
};
using call_ptr = std::shared_ptr<remote_call>;

// The deadline travels as the job's expiry, which counts from when the job is due.
void limit(remote_call& c) {
  auto& options = c.call.options;
  options.awaited = true;
  if (!c.deadline) return;
  c.ends = steady::now() + *c.deadline;
  milliseconds wait = options.delay;
  if (options.at) wait = std::chrono::ceil<milliseconds>(*options.at - std::chrono::system_clock::now());
  const milliseconds left = *c.deadline - std::max(wait, milliseconds{0});
  if (left < milliseconds{1}) {
    throw invalid_argument(fmt::format("{}: due in {} ms, and that is not within its deadline of {} ms",
                                       c.task, wait.count(), c.deadline->count()));
  }
  c.expires_by_deadline = !options.expires || *options.expires > left;
  if (c.expires_by_deadline) options.expires = left;
}

awaitable<void> take_back(call_ptr c) {
  try {
    co_await c->job->cancel();
  } catch (const std::exception& e) {
    base::log().warn("{} id={} could not be cancelled: {}", c->task, c->job->id(), e.what());
  }
  c->taken_back = true;
  c->progressed.set();
}

// Nobody cancels this: what was sent may be stored, and then its id must be known.
awaitable<void> send(call_ptr c) {
  try {
    std::vector<raw_call> one;
    one.push_back(std::move(c->call));
    const auto answers = co_await enqueue(c->queue, std::move(one));
    const auto& answer = answers.front();
    if (!answer.accepted) throw duplicate_job(answer.id);
    c->job.emplace(c->queue, answer.id, true);
  } catch (...) {
    c->refused = std::current_exception();
  }
  c->sent = true;
  c->progressed.set();
  if (c->unwanted && c->job) co_await take_back(c);
}

std::optional<milliseconds> left_of(const remote_call& c) {
  if (!c.ends) return std::nullopt;
  return std::max(std::chrono::ceil<milliseconds>(*c.ends - steady::now()), milliseconds{0});
}

bool is_over(const remote_call& c) {
  return c.ends && steady::now() >= *c.ends;
}

std::exception_ptr too_late(const remote_call& c) {
  return std::make_exception_ptr(
      timed_out(fmt::format("{} was not done within {}", c.task, base::human_duration(*c.deadline))));
}

awaitable<std::string> result_of(call_ptr c) {
  while (!c->sent && !is_over(*c)) {
    const auto left = left_of(*c);
    if (left) {
      co_await c->progressed.wait_for(*left);
    } else {
      co_await c->progressed.wait();
    }
  }
  if (c->refused) std::rethrow_exception(c->refused);
  if (!c->job) std::rethrow_exception(too_late(*c));
  auto result = co_await c->job->result(left_of(*c), c->returns_nothing);
  co_return result;
}

// Sees to it that the job ends, or is going to: what takes too long goes on without us.
awaitable<void> part_with(call_ptr c) {
  const auto give_up = steady::now() + max_farewell;
  const auto left = [&] { return std::chrono::ceil<milliseconds>(give_up - steady::now()); };
  while (!c->sent && left() > milliseconds{0}) co_await c->progressed.wait_for(left());
  if (!c->sent) {
    c->unwanted = true;
    co_return;
  }
  if (!c->job) co_return;
  asio::co_spawn(c->loop, take_back(c), asio::detached);
  while (!c->taken_back && left() > milliseconds{0}) co_await c->progressed.wait_for(left());
}

// What is thrown in place of `failure`, and whether the job may still be there.
struct verdict {
  std::exception_ptr thrown;
  bool job_is_left = false;
};

verdict judge(const remote_call& c, const std::exception_ptr& failure, bool was_cancelled) {
  if (was_cancelled) {
    return {std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)), true};
  }
  try {
    std::rethrow_exception(failure);
  } catch (const timed_out&) {
    if (is_over(c)) return {too_late(c), true};
  } catch (const job_expired&) {
    if (c.expires_by_deadline) return {too_late(c), false};
  } catch (...) {
  }
  return {failure, false};
}

awaitable<std::string> attend(call_ptr c) {
  asio::co_spawn(c->loop, send(c), asio::detached);
  std::exception_ptr failure;
  try {
    auto result = co_await result_of(c);
    co_return result;
  } catch (...) {
    failure = std::current_exception();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  const auto what = judge(*c, failure, state.cancelled() != asio::cancellation_type::none);
  if (what.job_is_left) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await part_with(c);
  }
  std::rethrow_exception(what.thrown);
}

}  // namespace

awaitable<std::string> run_on_machines(std::shared_ptr<queue_core> queue, raw_call call,
                                       std::optional<milliseconds> deadline, bool returns_nothing) {
  const auto loop = co_await asio::this_coro::executor;
  auto c = std::make_shared<remote_call>(loop, std::move(queue), std::move(call));
  c->deadline = deadline;
  c->returns_nothing = returns_nothing;
  limit(*c);
  // In a coroutine of its own, since it lifts its cancellation to part with the job: the caller stays
  // cancelled.
  auto attending = asio::co_spawn(loop, attend(std::move(c)), asio::use_awaitable);
  auto result = co_await std::move(attending);
  co_return result;
}

void check_deadline(std::optional<milliseconds> deadline) {
  if (!deadline || (*deadline >= milliseconds{1} && *deadline <= model::max_time)) return;
  throw invalid_argument(fmt::format("machines: deadline: expected 1 to {} ms, got {}",
                                     model::max_time.count(), deadline->count()));
}

}  // namespace quarq::detail
