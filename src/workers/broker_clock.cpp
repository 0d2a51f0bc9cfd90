#include "workers/broker_clock.hpp"

#include "base/assert.hpp"

namespace quarq::workers {

void broker_clock::note_answer(broker::time_point now, clock::time_point asked) {
  if (noted_at_ && at(asked) > now + tolerance) {
    set(now);
  } else {
    note_message(now);
  }
}

void broker_clock::note_message(broker::time_point sent) {
  if (!noted_at_ || sent > now()) set(sent);
}

void broker_clock::set(broker::time_point now) {
  const bool first = !noted_at_;
  noted_ = now;
  noted_at_ = local_.now();
  if (first) heard_.set();
}

broker::time_point broker_clock::at(clock::time_point local) const {
  return noted_ + std::chrono::floor<milliseconds>(local - *noted_at_);
}

broker::time_point broker_clock::now() const {
  QUARQ_ASSERT(noted_at_);
  return at(local_.now());
}

awaitable<void> broker_clock::wait_known() {
  while (!noted_at_) co_await heard_.wait();
}

}  // namespace quarq::workers
