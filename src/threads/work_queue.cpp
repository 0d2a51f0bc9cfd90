#include "threads/work_queue.hpp"

#include <mutex>
#include <utility>

namespace quarq::threads {

namespace {

// It takes more than this many functions to be worth taking a whole chunk.
constexpr std::size_t max_taken_singly = 4;

}  // namespace

work_queue::~work_queue() {
  // One by one: recursion over thousands of chunks would overflow the stack.
  while (first_) first_ = std::move(first_->next);
}

bool work_queue::push(detail::unique_function&& f) {
  const std::lock_guard lock(lock_);
  if (closed_) return false;
  if (!last_ || last_->is_full()) {
    auto fresh = spare_ ? std::move(spare_) : std::make_unique<chunk>();
    auto& end = last_ ? last_->next : first_;
    end = std::move(fresh);
    last_ = end.get();
  }
  last_->push(std::move(f));
  empty_.store(false, std::memory_order_relaxed);
  return true;
}

bool work_queue::push(std::unique_ptr<chunk>&& several) {
  const std::lock_guard lock(lock_);
  if (closed_) return false;
  auto& end = last_ ? last_->next : first_;
  end = std::move(several);
  last_ = end.get();
  empty_.store(false, std::memory_order_relaxed);
  return true;
}

detail::unique_function work_queue::pop_first() {
  auto f = first_->pop();
  if (first_->is_empty()) {
    auto used = detach_first();
    if (!spare_) {
      used->reset();
      spare_ = std::move(used);
    }
  }
  return f;
}

std::unique_ptr<chunk> work_queue::detach_first() {
  auto detached = std::exchange(first_, std::move(first_->next));
  if (!first_) {
    last_ = nullptr;
    empty_.store(true, std::memory_order_relaxed);
  }
  return detached;
}

detail::unique_function work_queue::pop() {
  if (empty_.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock(lock_);
  if (!first_) return {};
  return pop_first();
}

detail::unique_function work_queue::pop(std::unique_ptr<chunk>& rest) {
  if (empty_.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock(lock_);
  if (!first_) return {};
  if (first_->size() <= max_taken_singly && !first_->next) return pop_first();
  auto f = first_->pop();
  auto left = detach_first();
  if (!left->is_empty()) rest = std::move(left);
  return f;
}

std::unique_ptr<chunk> work_queue::pop_several() {
  if (empty_.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock(lock_);
  return first_ ? detach_first() : nullptr;
}

bool work_queue::is_empty() {
  const std::lock_guard lock(lock_);
  return !first_;
}

std::unique_ptr<chunk> work_queue::close() {
  const std::lock_guard lock(lock_);
  closed_ = true;
  last_ = nullptr;
  empty_.store(true, std::memory_order_relaxed);
  return std::move(first_);
}

}  // namespace quarq::threads
