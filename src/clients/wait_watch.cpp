#include "clients/wait_watch.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>

#include "clients/service.hpp"

namespace quarq::clients {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

namespace {

// Where very many wait, a few speak for all.
constexpr std::size_t max_looked_at = 8;
constexpr std::size_t max_tasks_noticed = 1'000;

}  // namespace

wait_watch::wait_watch(asio::any_io_executor loop, std::shared_ptr<broker::broker> store, std::string queue,
                       teller tell)
    : loop_(std::move(loop)),
      store_(std::move(store)),
      queue_(std::move(queue)),
      tell_(std::move(tell)),
      timer_(loop_) {}

wait_watch::wait::wait(std::shared_ptr<wait_watch> by, std::string id)
    : by_(std::move(by)), id_(std::move(id)) {
  if (by_->waits_.empty()) by_->arm(since_ + notice_delay);
  by_->waits_.push_back(*this);
}

wait_watch::wait::~wait() {
  if (!is_listed_) return;
  by_->waits_.remove(*this);
  // A timer would keep the loop from running out of work.
  if (by_->waits_.empty() && by_->timer_) by_->timer_->cancel();
}

void wait_watch::close() noexcept {
  timer_.reset();
  store_.reset();
}

void wait_watch::arm(steady::time_point at) {
  if (!timer_) return;
  timer_->expires_at(at);
  timer_->async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    if (ec) return;
    if (const auto self = weak.lock()) self->look_at_those_due();
  });
}

void wait_watch::look_at_those_due() {
  const auto now = steady::now();
  std::vector<std::string> ids;
  while (!waits_.empty() && waits_.front().since_ + notice_delay <= now && ids.size() < max_looked_at) {
    auto& one = waits_.pop_front();
    one.is_listed_ = false;
    ids.push_back(one.id_);
  }
  if (!waits_.empty()) {
    const auto next = waits_.front().since_ + notice_delay;
    arm(ids.size() == max_looked_at ? std::max(next, now + notice_delay) : next);
  }
  if (!ids.empty() && store_) asio::co_spawn(loop_, look(shared_from_this(), std::move(ids)), asio::detached);
}

awaitable<void> wait_watch::look(std::shared_ptr<wait_watch> self, std::vector<std::string> ids) {
  const auto store = self->store_;
  if (!store) co_return;
  try {
    const auto those = co_await store->live_workers_of(self->queue_);
    if (those.others) co_return;
    for (const auto& id : ids) co_await self->look_at(those, id);
  } catch (const std::exception&) {
    // It was only to be a notice. What ails the broker, the wait itself will meet.
  }
}

awaitable<void> wait_watch::look_at(const broker::live_workers& those, std::string id) {
  const auto store = store_;
  if (!store) co_return;
  const auto job = co_await store->inspect(queue_, id);
  if (!job || (job->state != job_state::queued && job->state != job_state::deferred)) co_return;
  const auto task = task_of(job->record);
  const auto found = service_of(those, task);
  if (found == service::likely || !may_tell(task)) co_return;
  tell_(fmt::format("job {} (task {}) waits, and {}", id, task, in_words(found, queue_, task)));
}

bool wait_watch::may_tell(const std::string& task) {
  const auto now = steady::now();
  if (noticed_at_.size() > max_tasks_noticed) noticed_at_.clear();
  const auto [at, fresh] = noticed_at_.try_emplace(task, now);
  if (!fresh && now - at->second < between_notices) return false;
  at->second = now;
  return true;
}

}  // namespace quarq::clients
