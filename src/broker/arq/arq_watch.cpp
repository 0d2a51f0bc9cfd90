#include "broker/arq/arq_watch.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <quarq/errors.hpp>

#include "broker/arq/arq_names.hpp"
#include "broker/arq/arq_scripts.hpp"
#include "broker/redis/known_timer.hpp"

namespace quarq::broker::arq {

namespace asio = boost::asio;

namespace {

constexpr milliseconds min_pause{10};
constexpr milliseconds between_abort_looks{150};
constexpr milliseconds after_error{500};
// Where jobs came lately more will come soon.
constexpr std::chrono::seconds stays_active{1};

}  // namespace

arq_watch::arq_watch(asio::any_io_executor loop, quarq::redis::connection& connection, lease of,
                     milliseconds max_pause, told events)
    : loop_(std::move(loop)),
      connection_(&connection),
      of_(std::move(of)),
      max_pause_(max_pause),
      events_(std::move(events)),
      pause_(std::min(min_pause, max_pause)) {}

void arq_watch::start() {
  asio::co_spawn(loop_, run(shared_from_this()), asio::detached);
}

void arq_watch::claimed(std::size_t got, bool hungry) {
  const auto now = steady::now();
  if (got > 0) {
    active_until_ = now + stays_active;
    pause_ = std::min(min_pause, max_pause_);
  }
  hungry_ = hungry;
  if (!hungry) return;
  look_for_work_ = now + pause_;
  plan();
}

void arq_watch::runs(std::size_t count) {
  const bool busy = count > 0;
  if (busy == busy_) return;
  busy_ = busy;
  if (!busy) return;
  look_for_aborts_ = steady::now() + between_abort_looks;
  plan();
}

void arq_watch::close() {
  connection_ = nullptr;
  plan();
}

// What is to be looked for may have changed.
void arq_watch::plan() {
  if (timer_ && (!connection_ || timer_->expiry() > next_look())) timer_->cancel();
}

arq_watch::steady::time_point arq_watch::next_look() const {
  auto next = steady::time_point::max();
  if (hungry_) next = std::min(next, look_for_work_);
  if (busy_) next = std::min(next, look_for_aborts_);
  return next;
}

// The timer belongs to the coroutine, so that the loop's end takes it along.
awaitable<void> arq_watch::run(std::shared_ptr<arq_watch> self) {
  asio::steady_timer timer(self->loop_);
  const redis::known_timer known(self->timer_, timer);
  while (self->connection_) {
    timer.expires_at(self->next_look());
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto now = steady::now();
    const bool for_work = self->hungry_ && self->look_for_work_ <= now;
    const bool for_aborts = self->busy_ && self->look_for_aborts_ <= now;
    if (self->connection_ && (for_work || for_aborts)) co_await self->look(for_work, for_aborts);
  }
}

awaitable<void> arq_watch::look(bool for_work, bool for_aborts) {
  std::vector<std::string> keys(1, own_prefix(of_.queue));
  std::vector<std::string> words(1, of_.token);
  words.push_back(for_work ? "1" : "0");
  words.push_back(for_aborts ? "1" : "0");
  quarq::redis::reply reply;
  bool failed = false;
  try {
    reply = co_await connection_->run(scripts().look, std::move(keys), std::move(words));
  } catch (const broker_error&) {
    // Who renews the lease will say so.
    failed = true;
  }
  const auto now = steady::now();
  look_for_aborts_ = now + (failed ? after_error : between_abort_looks);
  if (now >= active_until_) pause_ = std::min(max_pause_, pause_ + pause_ / 2 + milliseconds(1));
  look_for_work_ = now + (failed ? after_error : pause_);
  if (failed || !connection_) co_return;
  for (std::size_t i = 1; i < reply.items.size(); ++i) events_.abort_requested(reply.items[i].text);
  const bool ready = !reply.items.empty() && reply.items[0].integer == 1;
  if (!ready || !hungry_) co_return;
  hungry_ = false;
  events_.work_ready();
}

}  // namespace quarq::broker::arq
