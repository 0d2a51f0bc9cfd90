#include "http/client/connection_pool.hpp"

#include <utility>

#include "async/activity.hpp"

namespace quarq::http {

using steady = std::chrono::steady_clock;
using grant = pool_book::grant;

// ---- lease

connection_pool::lease::lease(std::shared_ptr<connection_pool> pool, std::string host,
                              std::unique_ptr<pooled_connection> reused)
    : pool_(std::move(pool)), host_(std::move(host)), connection_(std::move(reused)) {}

connection_pool::lease& connection_pool::lease::operator=(lease&& other) noexcept {
  if (this == &other) return *this;
  drop();
  pool_ = std::move(other.pool_);
  host_ = std::move(other.host_);
  connection_ = std::move(other.connection_);
  return *this;
}

void connection_pool::lease::give_back(time_point until) {
  const auto pool = std::exchange(pool_, nullptr);
  if (!pool) return;
  connection_->served = true;
  pool->give_back(host_, std::move(connection_), until);
}

void connection_pool::lease::drop() noexcept {
  connection_.reset();
  if (const auto pool = std::exchange(pool_, nullptr)) pool->gone(host_);
}

// ---- connection_pool

connection_pool::connection_pool(const boost::asio::any_io_executor& loop, pool_limits limits,
                                 std::shared_ptr<connection_counts> counts)
    : book_(limits), timer_(std::in_place, async::without_activity(loop)), counts_(std::move(counts)) {}

connection_pool::~connection_pool() {
  count_none();
}

awaitable<connection_pool::lease> connection_pool::acquire(std::shared_ptr<connection_pool> pool,
                                                           std::string host) {
  std::uint64_t ticket = ++pool->last_ticket_;
  // Whoever comes later waits behind those who wait.
  bool must_wait = pool->others_come_first(host);
  // Whatever this ends with, the next one may go on.
  struct at_end {
    ~at_end() {
      pool.forget_queue(host);
      pool.wake_waiting();
    }
    connection_pool& pool;
    const std::string& host;
  } const then{*pool, host};
  while (true) {
    if (!must_wait) {
      if (auto got = pool->try_acquire(host)) co_return std::move(*got);
    }
    co_await pool->queue_of(host).wait(&ticket);
    must_wait = false;
  }
}

std::optional<connection_pool::lease> connection_pool::try_acquire(const std::string& host) {
  close_expired();
  while (true) {
    const auto decision = book_.ask(host, steady::now());
    if (decision.evict) idle_.erase(*decision.evict);
    update_counts();
    if (decision.what == grant::open) return lease(shared_from_this(), host, nullptr);
    if (decision.what != grant::reuse) return std::nullopt;
    auto node = idle_.extract(decision.connection);
    if (node.mapped()->io->is_quiet()) return lease(shared_from_this(), host, std::move(node.mapped()));
    book_.gone(host);
  }
}

void connection_pool::give_back(const std::string& host, std::unique_ptr<pooled_connection> one,
                                time_point until) {
  if (loop_is_gone_) return;
  if (until <= steady::now()) {
    one.reset();
    gone(host);
    return;
  }
  const auto id = ++last_id_;
  idle_.emplace(id, std::move(one));
  book_.give_back(host, id, until);
  update_counts();
  wake_waiting();
  watch_expiry();
}

void connection_pool::gone(const std::string& host) noexcept {
  if (loop_is_gone_) return;
  book_.gone(host);
  update_counts();
  wake_waiting();
}

// Those who have waited longest of all whose host has room.
void connection_pool::wake_waiting() {
  if (loop_is_gone_) return;
  for (auto left = unclaimed_room(); left > 0; --left) {
    quarq::detail::wait_queue* next = nullptr;
    for (const auto& [host, queue] : waiting_) {
      if (queue->empty() || book_.room(host) <= queue->handed()) continue;
      if (next == nullptr || ticket_of(*queue) < ticket_of(*next)) next = queue.get();
    }
    if (next == nullptr) return;
    next->hand_one();
  }
}

std::uint64_t connection_pool::ticket_of(const quarq::detail::wait_queue& queue) noexcept {
  return *static_cast<const std::uint64_t*>(queue.first());
}

// Room that is not promised to those who were woken and have not come yet.
std::size_t connection_pool::unclaimed_room() const noexcept {
  std::size_t promised = 0;
  for (const auto& [host, queue] : waiting_) promised += queue->handed();
  return book_.room() > promised ? book_.room() - promised : 0;
}

quarq::detail::wait_queue& connection_pool::queue_of(const std::string& host) {
  auto& queue = waiting_[host];
  if (!queue) queue = std::make_unique<quarq::detail::wait_queue>();
  return *queue;
}

void connection_pool::forget_queue(const std::string& host) {
  const auto found = waiting_.find(host);
  if (found != waiting_.end() && found->second->empty() && found->second->handed() == 0)
    waiting_.erase(found);
}

bool connection_pool::others_come_first(const std::string& host) const {
  const auto own = waiting_.find(host);
  if (own != waiting_.end() && (!own->second->empty() || own->second->handed() > 0)) return true;
  return unclaimed_room() == 0;
}

void connection_pool::close_expired() {
  for (const auto id : book_.take_expired(steady::now())) idle_.erase(id);
}

// One timer for all: it closes what is too old, and runs again for the next.
void connection_pool::watch_expiry() {
  if (timer_runs_ || !timer_) return;
  const auto when = book_.next_expiry();
  if (when == time_point::max()) return;
  timer_runs_ = true;
  timer_->expires_at(when);
  timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto self = weak.lock();
    if (!self) return;
    self->timer_runs_ = false;
    if (cancelled) return;
    self->close_expired();
    self->update_counts();
    self->watch_expiry();
  });
}

void connection_pool::close_idle() {
  if (loop_is_gone_) return;
  for (const auto id : book_.take_expired(time_point::max())) idle_.erase(id);
  if (timer_) timer_->cancel();
  update_counts();
  wake_waiting();
}

void connection_pool::loop_destroyed() noexcept {
  loop_is_gone_ = true;
  idle_.clear();
  timer_.reset();
  count_none();
}

void connection_pool::count_none() noexcept {
  counts_->in_use -= std::exchange(counted_in_use_, 0);
  counts_->idle -= std::exchange(counted_idle_, 0);
}

void connection_pool::update_counts() noexcept {
  counts_->in_use += book_.in_use() - counted_in_use_;
  counts_->idle += book_.idle() - counted_idle_;
  counted_in_use_ = book_.in_use();
  counted_idle_ = book_.idle();
}

}  // namespace quarq::http
