// Functions that wait for a thread, in chunks: a thread can take many of them at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <quarq/detail/unique_function.hpp>

#include "base/assert.hpp"
#include "threads/spinlock.hpp"

namespace quarq::threads {

/// Up to 64 functions in order, and the next chunk. Memory is not touched before it is needed.
class chunk {
 public:
  chunk() noexcept {}
  ~chunk() {
    for (; begin_ < end_; ++begin_) at(begin_)->~unique_function();
  }
  chunk(const chunk&) = delete;
  chunk& operator=(const chunk&) = delete;

  bool is_empty() const noexcept { return begin_ == end_; }
  bool is_full() const noexcept { return end_ == capacity; }
  std::size_t size() const noexcept { return end_ - begin_; }
  void push(detail::unique_function&& f) noexcept {
    QUARQ_ASSERT(!is_full());
    ::new (at(end_++)) detail::unique_function(std::move(f));
  }
  detail::unique_function pop() noexcept {
    QUARQ_ASSERT(!is_empty());
    auto* const first = at(begin_++);
    detail::unique_function f(std::move(*first));
    first->~unique_function();
    return f;
  }
  void reset() noexcept {
    QUARQ_ASSERT(is_empty());
    begin_ = end_ = 0;
  }

  std::unique_ptr<chunk> next;

 private:
  static constexpr std::size_t capacity = 64;
  detail::unique_function* at(std::size_t i) noexcept {
    return reinterpret_cast<detail::unique_function*>(memory_) + i;
  }

  std::size_t begin_ = 0, end_ = 0;
  alignas(detail::unique_function) std::byte memory_[capacity * sizeof(detail::unique_function)];
};

/// A FIFO queue. Thread safety: all members may be called at the same time. Each queue has cache lines of its
/// own, since each thread has a queue.
class alignas(64) work_queue {
 public:
  ~work_queue();

  /// Returns false if the queue is closed; then the argument is unchanged.
  bool push(detail::unique_function&& f);
  bool push(std::unique_ptr<chunk>&& several);
  /// The oldest function; empty if there is none. If many wait, `rest` becomes the ones behind it.
  detail::unique_function pop(std::unique_ptr<chunk>& rest);
  /// The oldest function; empty if there is none.
  detail::unique_function pop();
  /// The oldest chunk; null if there is none.
  std::unique_ptr<chunk> pop_several();
  /// Takes the lock, so that it is certain to see what was pushed before.
  bool is_empty();
  /// From now on nothing can be pushed. Returns what was in the queue.
  std::unique_ptr<chunk> close();

 private:
  detail::unique_function pop_first();
  std::unique_ptr<chunk> detach_first();

  spinlock lock_;
  std::unique_ptr<chunk> first_;
  chunk* last_ = nullptr;
  std::unique_ptr<chunk> spare_;
  bool closed_ = false;
  /// A hint that can be read without the lock.
  std::atomic<bool> empty_ = true;
};

}  // namespace quarq::threads
