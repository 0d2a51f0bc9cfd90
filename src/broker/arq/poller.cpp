#include "broker/arq/poller.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <quarq/errors.hpp>

#include "broker/arq/keys.hpp"
#include "broker/arq/scripts.hpp"
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

poller::poller(asio::any_io_executor loop, quarq::redis::connection& connection, lease of,
               milliseconds max_pause, callbacks events)
    : loop_(std::move(loop)),
      connection_(&connection),
      of_(std::move(of)),
      max_pause_(max_pause),
      events_(std::move(events)),
      pause_(std::min(min_pause, max_pause)) {}

void poller::start() {
  asio::co_spawn(loop_, run(shared_from_this()), asio::detached);
}

void poller::claimed(std::size_t got, bool waiting_for_jobs) {
  const auto now = steady::now();
  if (got > 0) {
    active_until_ = now + stays_active;
    pause_ = std::min(min_pause, max_pause_);
  }
  waiting_for_jobs_ = waiting_for_jobs;
  if (!waiting_for_jobs) return;
  poll_for_work_ = now + pause_;
  plan();
}

void poller::runs(std::size_t count) {
  const bool busy = count > 0;
  if (busy == busy_) return;
  busy_ = busy;
  if (!busy) return;
  poll_for_aborts_ = steady::now() + between_abort_polls;
  plan();
}

void poller::close() {
  connection_ = nullptr;
  plan();
}

// The keys to poll may have changed.
void poller::plan() {
  if (timer_ && (!connection_ || timer_->expiry() > next_poll())) timer_->cancel();
}

poller::steady::time_point poller::next_poll() const {
  auto next = steady::time_point::max();
  if (waiting_for_jobs_) next = std::min(next, poll_for_work_);
  if (busy_) next = std::min(next, poll_for_aborts_);
  return next;
}

// The timer belongs to the coroutine, so that the loop's end takes it along.
awaitable<void> poller::run(std::shared_ptr<poller> self) {
  asio::steady_timer timer(self->loop_);
  const redis_common::scoped_timer_handle known(self->timer_, timer);
  while (self->connection_) {
    timer.expires_at(self->next_poll());
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto now = steady::now();
    const bool for_work = self->waiting_for_jobs_ && self->poll_for_work_ <= now;
    const bool for_aborts = self->busy_ && self->poll_for_aborts_ <= now;
    if (self->connection_ && (for_work || for_aborts)) co_await self->poll(for_work, for_aborts);
  }
}

awaitable<void> poller::poll(bool for_work, bool for_aborts) {
  std::vector<std::string> keys(1, own_prefix(of_.queue));
  std::vector<std::string> args(1, of_.token);
  args.push_back(for_work ? "1" : "0");
  args.push_back(for_aborts ? "1" : "0");
  quarq::redis::reply reply;
  bool failed = false;
  try {
    reply = co_await connection_->run(scripts().poll, std::move(keys), std::move(args));
  } catch (const broker_error&) {
    // The next renewal will say so.
    failed = true;
  }
  const auto now = steady::now();
  poll_for_aborts_ = now + (failed ? after_error : between_abort_polls);
  if (now >= active_until_) pause_ = std::min(max_pause_, pause_ + pause_ / 2 + milliseconds(1));
  poll_for_work_ = now + (failed ? after_error : pause_);
  if (failed || !connection_) co_return;
  for (std::size_t i = 1; i < reply.items.size(); ++i) events_.abort_requested(reply.items[i].text);
  const auto ready = reply.items.empty() ? 0 : reply.items[0].integer;
  if (ready == 0 || !waiting_for_jobs_) co_return;
  waiting_for_jobs_ = false;
  // Of a paused queue the worker hears when it is resumed.
  if (ready == 1) events_.work_ready();
}

}  // namespace quarq::broker::arq
