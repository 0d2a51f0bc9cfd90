#include "processes/robust_mutex.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.hpp"
#include "base/sanitizers.hpp"

namespace quarq::processes {

namespace {

constexpr int spins = 100;

// A process may be killed after it has unlocked and before it has woken the next. If somebody else has the mutex
// by then, the kernel does not make up for that (handle_futex_death in Linux' kernel/futex), so nobody sleeps for
// longer than this.
constexpr std::chrono::seconds longest_sleep{1};

timespec to_timespec(std::chrono::steady_clock::time_point at) {
  const auto since = std::max(at.time_since_epoch(), std::chrono::steady_clock::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  timespec result{};
  result.tv_sec = static_cast<time_t>(seconds.count());
  result.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - seconds).count());
  return result;
}

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

int lock_before(pthread_mutex_t& mutex, std::chrono::steady_clock::time_point until) {
  // The thread sanitizer of g++ 12 does not know pthread_mutex_clocklock.
  if constexpr (base::thread_sanitizer) {
    const auto left = until - std::chrono::steady_clock::now();
    const auto limit = to_timespec(std::chrono::steady_clock::time_point(
        std::chrono::system_clock::now().time_since_epoch() +
        std::min<std::chrono::nanoseconds>(left, std::chrono::hours(1))));
    return pthread_mutex_timedlock(&mutex, &limit);
  } else {
    const auto limit = to_timespec(until);
    return pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &limit);
  }
}

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* until) {
  static_assert(sizeof(word) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);
  return syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, until, nullptr,
                 FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

// ---- robust_mutex

robust_mutex::robust_mutex() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  const int error = pthread_mutex_init(&mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
  if (error != 0) fail(error, "a mutex that processes share");
}

robust_mutex::result robust_mutex::taken(int error) {
  if (error == 0) return result::locked;
  if (error == ETIMEDOUT || error == EBUSY) return result::timed_out;
  if (error != EOWNERDEAD) fail(error, "a mutex that processes share");
  pthread_mutex_consistent(&mutex_);
  return result::locked_after_a_death;
}

// Mostly it is held while one item is copied: going to sleep would take longer.
bool robust_mutex::spin(int& error) {
  for (int i = 0; i < spins; ++i) {
    error = pthread_mutex_trylock(&mutex_);
    if (error != EBUSY) return true;
    base::cpu_relax();
  }
  return false;
}

robust_mutex::result robust_mutex::lock() {
  return lock_until(std::nullopt);
}

robust_mutex::result robust_mutex::lock_until(const deadline& until) {
  int error = 0;
  if (spin(error)) return taken(error);
  // The thread sanitizer does not know that a timed lock may have been taken from a dead owner.
  if (base::thread_sanitizer && !until) return taken(pthread_mutex_lock(&mutex_));
  while (true) {
    const auto next = std::chrono::steady_clock::now() + longest_sleep;
    const bool is_last = until && *until <= next;
    error = lock_before(mutex_, is_last ? *until : next);
    if (error != ETIMEDOUT || is_last) return taken(error);
  }
}

robust_mutex::result robust_mutex::try_lock() {
  return taken(pthread_mutex_trylock(&mutex_));
}

void robust_mutex::unlock() noexcept {
  pthread_mutex_unlock(&mutex_);
}

// ---- process_condition

process_condition::epoch process_condition::prepare_wait() noexcept {
  waiting_.store(1, std::memory_order_relaxed);
  return epoch_.load(std::memory_order_relaxed);
}

void process_condition::notify_always() noexcept {
  waiting_.store(0, std::memory_order_relaxed);
  wake_all();
}

void process_condition::wake_all() noexcept {
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  futex(epoch_, FUTEX_WAKE, INT_MAX, nullptr);
}

bool process_condition::wait(epoch since, const deadline& until) noexcept {
  timespec limit{};
  if (until) limit = to_timespec(*until);
  const long woken = futex(epoch_, FUTEX_WAIT_BITSET, since, until ? &limit : nullptr);
  return woken == 0 || errno != ETIMEDOUT;
}

}  // namespace quarq::processes
