// Functions that wait for a thread. They lie in chunks, so that many change hands at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <quarq/detail_posted.hpp>

#include "threads/brief_lock.hpp"

namespace quarq::threads {

/// Up to 64 functions in order, and the chunk that comes after them. Memory is not touched before it is
/// needed.
class chunk {
 public:
  chunk() noexcept {}
  ~chunk() {
    for (; begin_ < end_; ++begin_) at(begin_)->~posted();
  }
  chunk(const chunk&) = delete;
  chunk& operator=(const chunk&) = delete;

  bool is_empty() const noexcept { return begin_ == end_; }
  bool is_full() const noexcept { return end_ == room; }
  std::size_t size() const noexcept { return end_ - begin_; }
  void push(detail::posted&& f) noexcept { ::new (at(end_++)) detail::posted(std::move(f)); }
  detail::posted pop() noexcept {
    auto* const first = at(begin_++);
    detail::posted f(std::move(*first));
    first->~posted();
    return f;
  }
  void reset() noexcept { begin_ = end_ = 0; }

  std::unique_ptr<chunk> next;

 private:
  static constexpr std::size_t room = 64;
  detail::posted* at(std::size_t i) noexcept { return reinterpret_cast<detail::posted*>(memory_) + i; }

  std::size_t begin_ = 0, end_ = 0;
  alignas(detail::posted) std::byte memory_[room * sizeof(detail::posted)];
};

/// First in, first out; thread-safe. A new line of the cache for each, since threads have one each.
class alignas(64) work_queue {
 public:
  ~work_queue();

  /// False if it is closed; then nothing is taken.
  bool push(detail::posted&& f);
  bool push(std::unique_ptr<chunk>&& several);
  /// The oldest; empty if there is none. If many wait, `rest` becomes those next in line.
  detail::posted pop(std::unique_ptr<chunk>& rest);
  /// The oldest.
  detail::posted pop();
  /// As many of the oldest as come easily; null if there is none.
  std::unique_ptr<chunk> pop_several();
  /// By a lock, so that what was pushed before is seen for certain.
  bool is_empty();
  /// Nothing comes in any more. What was there is handed out.
  std::unique_ptr<chunk> close();

 private:
  detail::posted pop_first();
  std::unique_ptr<chunk> detach_first();

  brief_lock lock_;
  std::unique_ptr<chunk> first_;
  chunk* last_ = nullptr;
  std::unique_ptr<chunk> spare_;
  bool closed_ = false;
  /// For a look without the lock.
  std::atomic<bool> empty_ = true;
};

}  // namespace quarq::threads
