#include "broker/arq/poller.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <quarq/errors.hpp>

#include "broker/arq/keys.hpp"
#include "broker/arq/scripts.hpp"
#include "broker/redis_common/replies.hpp"
#include "broker/redis_common/scoped_timer_handle.hpp"

namespace quarq::broker::arq {

namespace asio = boost::asio;

namespace {

constexpr milliseconds min_pause{10};
constexpr milliseconds between_abort_polls{150};
constexpr milliseconds after_error{500};
// Where jobs came lately more will come soon.
constexpr std::chrono::seconds stays_active{1};

}  // namespace

poller::poller(asio::any_io_executor loop, quarq::redis::connection& connection, std::string token,
               milliseconds max_pause, callbacks events)
    : loop_(std::move(loop)),
      connection_(&connection),
      token_(std::move(token)),
      max_pause_(max_pause),
      events_(std::move(events)) {}

void poller::start() {
  asio::co_spawn(loop_, run(shared_from_this()), asio::detached);
}

poller::one_queue& poller::of(const std::string& queue) {
  const auto [found, is_new] = queues_.try_emplace(queue);
  if (is_new) found->second.pause = std::min(min_pause, max_pause_);
  return found->second;
}

void poller::claimed(const std::string& queue, std::size_t got, bool waiting_for_jobs) {
  const auto now = steady::now();
  auto& here = of(queue);
  if (got > 0) {
    here.active_until = now + stays_active;
    here.pause = std::min(min_pause, max_pause_);
  }
  here.waiting_for_jobs = waiting_for_jobs;
  if (!waiting_for_jobs) return;
  here.poll_at = now + here.pause;
  plan(here.poll_at);
}

void poller::woken(const std::string& queue) {
  of(queue).waiting_for_jobs = false;
}

void poller::runs(const std::string& queue, std::size_t count) {
  auto& here = of(queue);
  const bool busy = count > 0;
  if (busy == here.busy) return;
  here.busy = busy;
  if (!busy) {
    --busy_queues_;
    return;
  }
  if (++busy_queues_ > 1) return;
  poll_for_aborts_ = steady::now() + between_abort_polls;
  plan(poll_for_aborts_);
}

void poller::close() {
  connection_ = nullptr;
  plan({});
}

// There is something to look for at this moment.
void poller::plan(steady::time_point at) {
  if (timer_ && timer_->expiry() > at) timer_->cancel();
}

poller::steady::time_point poller::next_poll() const {
  auto next = steady::time_point::max();
  for (const auto& [key, one] : queues_) {
    if (one.waiting_for_jobs) next = std::min(next, one.poll_at);
  }
  if (busy_queues_ > 0) next = std::min(next, poll_for_aborts_);
  return next;
}

// With those whose turn it is come those whose turn it will be soon, so that there are few calls.
std::vector<std::string> poller::queues_due(steady::time_point now) const {
  std::vector<std::string> due, soon;
  for (const auto& [key, one] : queues_) {
    if (!one.waiting_for_jobs) continue;
    if (one.poll_at <= now) {
      due.push_back(key);
    } else if (one.poll_at <= now + one.pause / 2) {
      soon.push_back(key);
    }
  }
  if (!due.empty()) due.insert(due.end(), soon.begin(), soon.end());
  return due;
}

// The timer belongs to the coroutine, so that the loop's end takes it along.
awaitable<void> poller::run(std::shared_ptr<poller> self) {
  asio::steady_timer timer(self->loop_);
  const redis_common::scoped_timer_handle known(self->timer_, timer);
  while (self->connection_) {
    timer.expires_at(self->next_poll());
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!self->connection_) co_return;
    const auto now = steady::now();
    auto for_work = self->queues_due(now);
    const bool for_aborts = self->aborts_due(now);
    if (for_aborts || !for_work.empty()) co_await self->poll(std::move(for_work), for_aborts);
  }
}

awaitable<void> poller::poll(std::vector<std::string> for_work, bool for_aborts) {
  std::vector<std::string> keys(1, own_prefix(queues_.begin()->first)), args(1, token_);
  for (const auto& queue : for_work) keys.push_back(own_prefix(queue));
  args.push_back(for_aborts ? "1" : "0");
  quarq::redis::reply reply;
  bool failed = false;
  try {
    reply = co_await connection_->run(scripts().poll, std::move(keys), std::move(args));
  } catch (const broker_error&) {
    // The next renewal will say so.
    failed = true;
  }
  if (for_aborts) poll_for_aborts_ = steady::now() + (failed ? after_error : between_abort_polls);
  plan_next(for_work, failed);
  if (failed || !connection_) co_return;
  for (std::size_t i = 1; i < reply.items.size(); ++i) {
    const auto& wanted = reply.items[i];
    const auto& queue = redis_common::item(wanted, 0).text;
    for (std::size_t k = 1; k < wanted.items.size(); ++k)
      events_.abort_requested(queue, wanted.items[k].text);
  }
  report_work(for_work, redis_common::item(reply, 0).text);
}

void poller::plan_next(const std::vector<std::string>& looked_at, bool failed) {
  const auto now = steady::now();
  for (const auto& queue : looked_at) {
    auto& here = of(queue);
    if (now >= here.active_until)
      here.pause = std::min(max_pause_, here.pause + here.pause / 2 + milliseconds(1));
    here.poll_at = now + (failed ? after_error : here.pause);
  }
}

// `ready`: a digit for each, as in poll.lua.
void poller::report_work(const std::vector<std::string>& looked_at, std::string_view ready) {
  for (std::size_t i = 0; i < looked_at.size() && i < ready.size(); ++i) {
    auto& here = of(looked_at[i]);
    if (ready[i] == '0' || !here.waiting_for_jobs) continue;
    here.waiting_for_jobs = false;
    // Of a paused queue the worker hears when it is resumed.
    if (ready[i] == '1') events_.work_ready(looked_at[i]);
  }
}

}  // namespace quarq::broker::arq
