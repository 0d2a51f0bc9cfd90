#include "workers/waiting_line.hpp"

#include "base/assert.hpp"

namespace quarq::workers {

// A waiter's place in the line. A turn that it got and did not take, because it was cancelled in the same turn
// of the loop, goes to the next.
class waiting_line::place {
 public:
  explicit place(std::shared_ptr<waiting_line> in)
      : line_(std::move(in)), at_(line_->waiting_.emplace(line_->waiting_.end(), line_->loop_)) {}
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() {
    const bool wasted = at_->has_turn;
    line_->waiting_.erase(at_);
    if (wasted) line_->release();
  }
  awaitable<void> wait() { return at_->called.wait(); }
  turn take() noexcept {
    at_->has_turn = false;
    return turn(line_);
  }

 private:
  std::shared_ptr<waiting_line> line_;
  std::list<waiter>::iterator at_;
};

waiting_line::turn waiting_line::try_take() {
  if (!has_room()) return {};
  ++in_use_;
  return turn(shared_from_this());
}

awaitable<waiting_line::turn> waiting_line::take() {
  if (waiting_.empty()) moved_at_ = clock_.now();
  place here(shared_from_this());
  co_await here.wait();
  co_return here.take();
}

void waiting_line::release() {
  moved_at_ = clock_.now();
  QUARQ_ASSERT(in_use_ > 0);
  --in_use_;
  for (auto& w : waiting_) {
    if (!has_room()) return;
    if (w.has_turn) continue;
    ++in_use_;
    w.has_turn = true;
    w.called.set();
  }
}

}  // namespace quarq::workers
