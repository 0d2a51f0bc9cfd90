// A bounded queue of records of bytes in memory that processes share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "processes/robust_mutex.hpp"

namespace quarq::processes {

/// How long an operation may wait.
struct patience {
  deadline until;
  std::stop_token stop;
};

/// Many producers and many consumers, threads and processes; any of them may be killed at any instruction.
/// A record becomes visible by the one store that counts it, and is taken by the one store that counts that:
/// what a killed process had half done has not happened. A record in the hands of a killed consumer is gone.
///
/// Nobody sleeps with a lock in hand that others need to go on: those who wait for a record queue up for
/// `get_turn`, one sleeps with it until the bell rings, and the kernel gives the turn of a dead one to the
/// next. The same for those who wait for room.
class shared_ring {
 public:
  enum class end { done, timed_out, stopped, closed };

  /// A new one, for up to `items` records of together up to `bytes`. Throws quarq::invalid_argument, and
  /// std::system_error if there is no memory.
  shared_ring(std::uint64_t items, std::uint64_t bytes);
  /// The one that another process made; takes the descriptor, also when it throws quarq::invalid_argument.
  explicit shared_ring(int descriptor);
  ~shared_ring();
  shared_ring(const shared_ring&) = delete;
  shared_ring& operator=(const shared_ring&) = delete;

  int descriptor() const noexcept { return descriptor_; }

  /// done, timed_out, stopped or closed. Throws quarq::invalid_argument for a record that can never fit.
  end put(std::string_view record, const patience& max);
  /// done, timed_out (no room now, or others wait for it) or closed.
  end try_put(std::string_view record);
  /// done, timed_out, stopped, or closed (and nothing is left). Replaces what is in `into`.
  end get(std::string& into, const patience& max);
  end try_get(std::string& into);

  /// One of the records taken is dealt with. Throws quarq::invalid_argument if all were.
  void task_done();
  /// Until all that was put is dealt with: done, timed_out or stopped.
  end join(const patience& max);

  void close();
  bool closed() const noexcept;
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
  end put_in_turn(std::string_view record, const patience& max);
  end take(std::string& into, std::uint64_t& seen_tail);
  end get_in_turn(std::string& into, const patience& max);
  end take_turn(robust_mutex& turn, const patience& max);
  template <class Unchanged>
  end sleep(shared_bell& bell, robust_mutex& changers, const Unchanged& unchanged, const patience& max);

  int descriptor_ = -1;
  layout* shared_ = nullptr;
  slot* slots_ = nullptr;
  char* records_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::uint64_t slot_mask_ = 0;
  std::uint64_t byte_mask_ = 0;
};

}  // namespace quarq::processes
