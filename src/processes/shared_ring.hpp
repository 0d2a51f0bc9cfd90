// A bounded queue of byte records in memory that processes share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "processes/robust_mutex.hpp"

namespace quarq::processes {

/// How long an operation may wait, and what else ends the wait.
struct wait_limit {
  deadline until;
  std::stop_token stop;
};

/// Any number of producers and consumers, threads and processes; any of them may be killed at any
/// instruction. A record becomes visible by the one store that counts it, and is removed by the one store
/// that counts that: what a killed process had half done has not happened. A record that a killed consumer
/// had taken is lost.
///
/// Nobody sleeps while holding a lock that others need to make progress. Consumers queue up for `pop_turn`;
/// the one that holds it sleeps until it is notified, and the kernel passes the turn of a dead consumer to
/// the next. The same holds for producers that wait for room, with `push_turn`.
class shared_ring {
 public:
  enum class end { done, timed_out, stopped, closed };

  /// A new ring, for up to `items` records of together up to `bytes`. Throws quarq::usage_error, and
  /// std::system_error if there is no memory.
  shared_ring(std::uint64_t items, std::uint64_t bytes);
  /// One that another process made. Owns the descriptor, also when it throws quarq::usage_error.
  explicit shared_ring(int descriptor);
  ~shared_ring();
  shared_ring(const shared_ring&) = delete;
  shared_ring& operator=(const shared_ring&) = delete;

  int descriptor() const noexcept { return descriptor_; }

  /// Returns done, timed_out, stopped or closed. Throws quarq::usage_error for a record that can never
  /// fit.
  end push(std::string_view record, const wait_limit& max);
  /// Returns done, timed_out (no room now, or others wait for it) or closed.
  end try_push(std::string_view record);
  /// Returns done, timed_out, stopped, or closed (and nothing is left). Replaces the content of `into`.
  end pop(std::string& into, const wait_limit& max);
  end try_pop(std::string& into);

  /// One of the popped records has been dealt with. Throws quarq::usage_error if all were.
  void task_done();
  /// Waits until all pushed records have been dealt with: done, timed_out or stopped.
  end join(const wait_limit& max);

  void close();
  bool is_closed() const noexcept;
  std::uint64_t size() const noexcept;
  std::uint64_t unfinished() const noexcept;
  std::uint64_t items() const noexcept;
  std::uint64_t bytes() const noexcept;

 private:
  struct layout;
  struct slot;
  class locked;

  void map(std::uint64_t length);
  void unmap() noexcept;
  void refuse_what_never_fits(std::size_t size) const;
  bool fits(std::uint64_t head, std::uint64_t tail, std::uint64_t size) const noexcept;
  std::uint64_t end_of_records(std::uint64_t tail) const noexcept;
  void copy_in(std::uint64_t position, std::string_view record) noexcept;
  void copy_out(const slot& from, std::string& into) const;
  end store(std::string_view record, std::uint64_t& seen_head);
  end push_in_turn(std::string_view record, const wait_limit& max);
  end take(std::string& into, std::uint64_t& seen_tail);
  end pop_in_turn(std::string& into, const wait_limit& max);
  end take_turn(robust_mutex& turn, const wait_limit& max);
  template <class Unchanged>
  end sleep(process_condition& condition, robust_mutex& changers, const Unchanged& unchanged,
            const wait_limit& max);

  int descriptor_ = -1;
  layout* shared_ = nullptr;
  slot* slots_ = nullptr;
  char* records_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::uint64_t slot_mask_ = 0;
  std::uint64_t byte_mask_ = 0;
};

}  // namespace quarq::processes
