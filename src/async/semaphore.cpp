#include <utility>

#include <quarq/detail/wait_queue.hpp>
#include <quarq/errors.hpp>
#include <quarq/semaphore.hpp>

#include "base/assert.hpp"

namespace quarq {

struct semaphore::state {
  explicit state(std::size_t permits) : free(permits) {}

  // A permit that was handed to a coroutine is taken, although it has not resumed yet.
  std::size_t available() const noexcept {
    QUARQ_ASSERT(waiting.handed() <= free);
    return free - waiting.handed();
  }

  std::size_t free;
  detail::wait_queue waiting;
};

void semaphore::permit::release() {
  const auto from = std::move(from_);
  if (!from) return;
  ++from->free;
  from->waiting.hand_one();
}

semaphore::permit& semaphore::permit::operator=(permit&& other) noexcept {
  // Moved from first, released last: also correct for self-assignment.
  permit taken(std::move(other));
  std::swap(from_, taken.from_);
  return *this;
}

semaphore::semaphore(std::size_t permits) : state_(std::make_shared<state>(permits)) {
  if (permits == 0) throw usage_error("semaphore: 0 permits, expected at least 1");
}

semaphore::~semaphore() {
  state_->waiting.abort_all();
}

awaitable<semaphore::permit> semaphore::acquire() {
  return acquire_from(state_);
}

awaitable<semaphore::permit> semaphore::acquire_from(std::shared_ptr<state> from) {
  if (from->available() == 0) co_await from->waiting.wait();
  --from->free;
  co_return permit(std::move(from));
}

semaphore::permit semaphore::try_acquire() {
  if (state_->available() == 0) return {};
  --state_->free;
  return permit(state_);
}

std::size_t semaphore::available() const noexcept {
  return state_->available();
}

}  // namespace quarq
