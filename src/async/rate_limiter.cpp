#include <optional>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/rate_limiter.hpp>
#include <quarq/semaphore.hpp>
#include <quarq/time.hpp>

#include "async/rate_schedule.hpp"

namespace quarq {

using steady = std::chrono::steady_clock;

struct rate_limiter::state {
  explicit state(const rate_limiter_options& options) : schedule(options), turn(std::in_place, 1) {}

  async::rate_schedule schedule;
  // Held by the one that is next; the others wait for it. Gone with the limiter.
  std::optional<semaphore> turn;
};

rate_limiter::rate_limiter(rate_limiter_options options) : state_(std::make_shared<state>(options)) {}

rate_limiter::~rate_limiter() {
  state_->turn.reset();
}

awaitable<void> rate_limiter::acquire() {
  return acquire_from(state_);
}

awaitable<void> rate_limiter::acquire_from(std::shared_ptr<state> from) {
  const auto turn = co_await from->turn->acquire();
  auto now = steady::now();
  while (now < from->schedule.next()) {
    co_await sleep_for(from->schedule.next() - now);
    if (!from->turn) throw boost::system::system_error(boost::asio::error::operation_aborted);
    now = steady::now();
  }
  from->schedule.take(now);
}

bool rate_limiter::try_acquire() {
  const auto turn = state_->turn->try_acquire();
  const auto now = steady::now();
  if (!turn || now < state_->schedule.next()) return false;
  state_->schedule.take(now);
  return true;
}

}  // namespace quarq
