#include "http/client/connection_pool.hpp"

#include <utility>

#include "async/activity.hpp"

namespace quarq::http {

using steady = std::chrono::steady_clock;
using grant = pool_book::grant;

// ---- pooled_connection

pooled_connection::pooled_connection(std::unique_ptr<stream> connected,
                                     std::shared_ptr<loop_deadlines> deadlines)
    : io(std::move(connected)), answer(*io), deadlines_(std::move(deadlines)) {}

pooled_connection::~pooled_connection() {
  deadlines_->set(*this, std::nullopt);
}

void pooled_connection::set_deadline(std::optional<time_point> when) {
  deadline_ = when;
  deadlines_->wake_by(*this, when);
}

// It wakes early where an earlier request had set a deadline: what that left is not taken back.
void pooled_connection::on_deadline() {
  if (!deadline_) return;
  if (steady::now() < *deadline_) {
    deadlines_->set(*this, deadline_);
    return;
  }
  deadline_passed_ = true;
  io->close();
}

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

void connection_pool::lease::give_back(std::chrono::milliseconds kept) {
  const auto pool = std::exchange(pool_, nullptr);
  if (!pool) return;
  connection_->served = true;
  connection_->set_deadline(std::nullopt);
  pool->give_back(host_, std::move(connection_), kept);
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

connection_pool::lease connection_pool::try_reuse(std::shared_ptr<connection_pool> pool, std::string host,
                                                  time_point now) {
  if (pool->loop_is_gone_ || pool->others_come_first(host)) return {};
  while (const auto id = pool->book_.take_idle(host, now)) {
    auto one = pool->take_idle(*id);
    pool->update_counts();
    if (one->io->is_quiet()) return lease(std::move(pool), std::move(host), std::move(one));
    pool->gone(host);
  }
  return {};
}

std::unique_ptr<pooled_connection> connection_pool::take_idle(connection_id id) noexcept {
  free_ids_.push_back(id);
  return std::move(idle_[id]);
}

std::optional<connection_pool::lease> connection_pool::try_acquire(const std::string& host) {
  close_expired();
  while (true) {
    const auto decision = book_.ask(host, steady::now());
    if (decision.evict) take_idle(*decision.evict);
    update_counts();
    if (decision.what == grant::open) return lease(shared_from_this(), host, nullptr);
    if (decision.what != grant::reuse) return std::nullopt;
    auto one = take_idle(decision.connection);
    if (one->io->is_quiet()) return lease(shared_from_this(), host, std::move(one));
    book_.gone(host);
  }
}

void connection_pool::give_back(const std::string& host, std::unique_ptr<pooled_connection> one,
                                std::chrono::milliseconds kept) {
  if (loop_is_gone_) return;
  if (kept <= std::chrono::milliseconds(0)) {
    one.reset();
    gone(host);
    return;
  }
  if (free_ids_.empty()) {
    idle_.emplace_back();
    free_ids_.reserve(idle_.size());  // so that take_idle() can't fail
    free_ids_.push_back(idle_.size() - 1);
  }
  const auto id = free_ids_.back();
  free_ids_.pop_back();
  idle_[id] = std::move(one);
  book_.give_back(host, id, steady::now() + kept);
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
  if (loop_is_gone_ || waiting_.empty()) return;
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
  for (const auto id : book_.take_expired(steady::now())) take_idle(id);
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
  for (const auto id : book_.take_expired(time_point::max())) take_idle(id);
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
