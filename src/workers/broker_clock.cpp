#include "workers/broker_clock.hpp"

#include "base/assert.hpp"

namespace quarq::workers {

void broker_clock::note(broker::time_point now) {
  const bool first = !noted_at_;
  noted_ = now;
  noted_at_ = local_.now();
  if (first) heard_.set();
}

broker::time_point broker_clock::now() const {
  QUARQ_ASSERT(noted_at_);
  return noted_ + std::chrono::floor<milliseconds>(local_.now() - *noted_at_);
}

awaitable<void> broker_clock::wait_known() {
  while (!noted_at_) co_await heard_.wait();
}

}  // namespace quarq::workers
