#include "async/activity.hpp"

#include "base/assert.hpp"

namespace quarq::async {

namespace asio = boost::asio;

namespace {

using of_loop = activity_executor<loop_executor>;
using of_any = activity_executor<asio::any_io_executor>;

}  // namespace

// ---- activities

std::shared_ptr<activities> activities::of(const asio::any_io_executor& loop) {
  auto& context = asio::query(loop, asio::execution::context);
  return loop_lifetime::of(context)->shared_guest<activities>();
}

activity activities::begin(const void* subject) {
  QUARQ_ASSERT(subject != nullptr);
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    // end() must not need memory.
    if (free_.capacity() <= slots_.size()) free_.reserve(2 * slots_.size() + 8);
    slots_.push_back({this, nullptr, 0});
    free_.push_back(&slots_.back());
  }
  auto* const slot = free_.back();
  free_.pop_back();
  slot->subject = subject;
  return {slot, slot->generation};
}

void activities::end(const activity& what) noexcept {
  const std::lock_guard lock(mutex_);
  auto* const slot = const_cast<activity::slot*>(what.slot_);
  QUARQ_ASSERT(slot != nullptr && slot->of == this && slot->generation == what.generation_);
  ++slot->generation;
  slot->subject = nullptr;
  if (running_.load(std::memory_order_relaxed) == slot) set_running(nullptr);
  free_.push_back(slot);
}

// ---- executors

const loop_executor* loop_itself(const asio::any_io_executor& executor) noexcept {
  if (const auto* const plain = executor.target<loop_executor>()) return plain;
  const auto* const within = executor.target<of_loop>();
  return within != nullptr ? &within->inner() : nullptr;
}

asio::any_io_executor with_activity(const asio::any_io_executor& executor, const activity& what) {
  if (const auto* const loop = loop_itself(executor)) return of_loop(*loop, what);
  return of_any(without_activity(executor), what);
}

asio::any_io_executor without_activity(const asio::any_io_executor& executor) {
  if (const auto* const loop = executor.target<of_loop>()) return loop->inner();
  if (const auto* const any = executor.target<of_any>()) return any->inner();
  return executor;
}

activity activity_of(const asio::any_io_executor& executor) noexcept {
  if (executor.target<loop_executor>() != nullptr) return {};  // the usual one first
  if (const auto* const loop = executor.target<of_loop>()) return loop->what();
  if (const auto* const any = executor.target<of_any>()) return any->what();
  return {};
}

}  // namespace quarq::async
