#include <utility>

#include <quarq/errors.hpp>
#include <quarq/semaphore.hpp>
#include <quarq/wait_list.hpp>

namespace quarq {

struct semaphore::state {
  explicit state(std::size_t permits) : there(permits) {}

  // Those that have been handed to somebody who has not come yet are his.
  std::size_t available() const noexcept { return there - waiting.handed(); }

  std::size_t there;
  detail::wait_list waiting;
};

void semaphore::permit::release() {
  const auto from = std::move(from_);
  if (!from) return;
  ++from->there;
  from->waiting.hand_one();
}

semaphore::permit& semaphore::permit::operator=(permit&& other) noexcept {
  // First taken, then given back: also right for itself.
  permit taken(std::move(other));
  std::swap(from_, taken.from_);
  return *this;
}

semaphore::semaphore(std::size_t permits) : state_(std::make_shared<state>(permits)) {
  if (permits == 0) throw invalid_argument("semaphore: 0 permits, expected at least 1");
}

semaphore::~semaphore() {
  state_->waiting.abort_all();
}

awaitable<semaphore::permit> semaphore::acquire() {
  return acquire_from(state_);
}

awaitable<semaphore::permit> semaphore::acquire_from(std::shared_ptr<state> from) {
  if (from->available() == 0) co_await from->waiting.wait();
  --from->there;
  co_return permit(std::move(from));
}

semaphore::permit semaphore::try_acquire() {
  if (state_->available() == 0) return {};
  --state_->there;
  return permit(state_);
}

std::size_t semaphore::available() const noexcept {
  return state_->available();
}

}  // namespace quarq
