#include "processes/shared_ring.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "base/assert.hpp"
#include "base/cpu.hpp"
#include "processes/memory_file.hpp"

namespace quarq::processes {

namespace {

constexpr std::uint64_t magic = 0x3130'676e'6972'7271;  // "qrring01": the layout below
constexpr std::uint64_t max_items = std::uint64_t(1) << 32;
constexpr std::uint64_t max_bytes = std::uint64_t(1) << 40;
constexpr std::size_t line = 64;
constexpr std::uint64_t join_waiting = 1;  // a bit of `finished`, under the count

// Sleeping and waking costs both sides more than spinning for a while.
const int max_spins = std::thread::hardware_concurrency() > 1 ? 500 : 1;

// While others wait as well, a stop_token is checked this often.
constexpr auto stop_slice = std::chrono::milliseconds(10);

// A call that must not wait does not spin either.
int spins_of(const wait_limit& max) {
  return max.until && *max.until <= std::chrono::steady_clock::now() ? 1 : max_spins;
}

[[noreturn]] void fail_memory() {
  throw std::system_error(errno, std::generic_category(), "memory for a queue between processes");
}

}  // namespace

struct shared_ring::slot {
  std::uint64_t begin;  ///< counts all bytes ever pushed; they begin at begin & byte_mask_
  std::uint64_t size;
};

// Records are counted from the first ever pushed: `tail` were pushed, `head` of them popped, slots[i]
// describes record i. What one side writes often is in no cache line that the other side reads often.
struct shared_ring::layout {
  layout(std::uint64_t max, std::uint64_t max_total_bytes) : items(max), bytes(max_total_bytes) {}

  std::atomic<std::uint64_t> valid = 0;  ///< magic, when all the rest is there
  const std::uint64_t items;
  const std::uint64_t bytes;
  std::atomic<std::uint32_t> closed = 0;
  std::atomic<std::uint32_t> producer_waiting = 0;  ///< a hint: then nobody overtakes
  process_condition record_added;                   ///< its lock is `pushing`
  process_condition room_freed;                     ///< `popping`
  process_condition all_finished;                   ///< `finishing`

  alignas(line) robust_mutex pushing;
  std::uint64_t last_head = 0;  ///< what a producer saw last; guarded by `pushing`
  alignas(line) std::atomic<std::uint64_t> tail = 0;

  alignas(line) robust_mutex popping;
  std::uint64_t last_tail = 0;  ///< what a consumer saw last; guarded by `popping`
  alignas(line) std::atomic<std::uint64_t> head = 0;

  alignas(line) std::atomic<std::uint64_t> finished = 0;  ///< twice the count, and join_waiting
  alignas(line) robust_mutex finishing;
  alignas(line) robust_mutex push_turn;
  alignas(line) robust_mutex pop_turn;
};

/// Holds a mutex. After the death of its owner it notifies the mutex's condition, which the owner may have
/// owed.
class shared_ring::locked {
 public:
  locked(robust_mutex& mutex, process_condition& condition) : mutex_(mutex) {
    if (mutex_.lock() == robust_mutex::result::locked_after_a_death) condition.notify_always();
  }
  ~locked() { mutex_.unlock(); }
  locked(const locked&) = delete;
  locked& operator=(const locked&) = delete;

 private:
  robust_mutex& mutex_;
};

// ---- the memory

namespace {

std::uint64_t slots_for(std::uint64_t items) {
  // One more than items: the slot of a record that is being pushed is not the one of the record before it.
  return std::bit_ceil(items + 1);
}

}  // namespace

shared_ring::shared_ring(std::uint64_t items, std::uint64_t bytes) {
  if (items < 1 || items > max_items)
    throw usage_error("a queue for " + std::to_string(items) + " items: it must be 1 to " +
                      std::to_string(max_items));
  if (bytes < 1 || bytes > max_bytes)
    throw usage_error("a queue of " + std::to_string(bytes) + " bytes: it must be 1 to " +
                      std::to_string(max_bytes));
  descriptor_ = memfd_create("quarq-queue", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor_ < 0) fail_memory();
  try {
    const std::uint64_t length = sizeof(layout) + slots_for(items) * sizeof(slot) + std::bit_ceil(bytes);
    errno = resize(descriptor_, length);
    if (errno != 0) fail_memory();
    // No process can take the memory away from the others.
    fcntl(descriptor_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    map(length);
    ::new (static_cast<void*>(shared_)) layout(items, bytes);
    shared_->valid.store(magic, std::memory_order_release);
  } catch (...) {
    unmap();
    throw;
  }
  slots_ = reinterpret_cast<slot*>(shared_ + 1);
  slot_mask_ = slots_for(items) - 1;
  records_ = reinterpret_cast<char*>(slots_ + slots_for(items));
  byte_mask_ = std::bit_ceil(bytes) - 1;
}

shared_ring::shared_ring(int descriptor) : descriptor_(descriptor) {
  struct stat about{};
  const bool readable = fstat(descriptor, &about) == 0;
  const auto length = static_cast<std::uint64_t>(about.st_size);
  try {
    if (!readable || length < sizeof(layout)) throw usage_error("the descriptor is not that of a queue");
    map(length);
    const auto& there = *shared_;
    if (there.valid.load(std::memory_order_acquire) != magic || there.items < 1 || there.items > max_items ||
        there.bytes < 1 || there.bytes > max_bytes ||
        length != sizeof(layout) + slots_for(there.items) * sizeof(slot) + std::bit_ceil(there.bytes))
      throw usage_error("the descriptor is not that of a queue, or of another version's");
  } catch (...) {
    unmap();
    throw;
  }
  slots_ = reinterpret_cast<slot*>(shared_ + 1);
  slot_mask_ = slots_for(shared_->items) - 1;
  records_ = reinterpret_cast<char*>(slots_ + slots_for(shared_->items));
  byte_mask_ = std::bit_ceil(shared_->bytes) - 1;
}

shared_ring::~shared_ring() {
  unmap();
}

void shared_ring::map(std::uint64_t length) {
  void* const at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (at == MAP_FAILED) fail_memory();
  shared_ = static_cast<layout*>(at);
  mapped_ = length;
}

// The mutexes in it are not destroyed: other processes use them.
void shared_ring::unmap() noexcept {
  if (shared_) munmap(shared_, mapped_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

// ---- records in the ring

void shared_ring::refuse_what_never_fits(std::size_t size) const {
  if (size <= shared_->bytes) return;
  throw usage_error("an item of " + std::to_string(size) + " bytes does not fit into a queue of " +
                    std::to_string(shared_->bytes) + " bytes");
}

// REQUIRES: `pushing` is held. The slot of a head seen earlier is unchanged: it is reused only `slots`
// records later, and tail is never more than `items` beyond any head seen.
std::uint64_t shared_ring::end_of_records(std::uint64_t tail) const noexcept {
  if (tail == 0) return 0;
  const slot& last = slots_[(tail - 1) & slot_mask_];
  return last.begin + last.size;
}

bool shared_ring::fits(std::uint64_t head, std::uint64_t tail, std::uint64_t size) const noexcept {
  if (head == tail) return true;
  if (tail - head >= shared_->items) return false;
  const std::uint64_t used = end_of_records(tail) - slots_[head & slot_mask_].begin;
  return used + size <= shared_->bytes;
}

void shared_ring::copy_in(std::uint64_t position, std::string_view record) noexcept {
  const std::uint64_t at = position & byte_mask_;
  const std::size_t first = std::min<std::uint64_t>(record.size(), byte_mask_ + 1 - at);
  std::memcpy(records_ + at, record.data(), first);
  if (first < record.size()) std::memcpy(records_, record.data() + first, record.size() - first);
}

void shared_ring::copy_out(const slot& from, std::string& into) const {
  const std::uint64_t at = from.begin & byte_mask_;
  const std::size_t first = std::min<std::uint64_t>(from.size, byte_mask_ + 1 - at);
  into.assign(records_ + at, first);
  if (first < from.size) into.append(records_, from.size - first);
}

// ---- push

shared_ring::end shared_ring::store(std::string_view record, std::uint64_t& seen_head) {
  auto& s = *shared_;
  const locked lock(s.pushing, s.record_added);
  if (s.closed.load(std::memory_order_relaxed)) return end::closed;
  const std::uint64_t tail = s.tail.load(std::memory_order_relaxed);
  if (!fits(s.last_head, tail, record.size())) {
    s.last_head = seen_head = s.head.load(std::memory_order_acquire);
    if (!fits(seen_head, tail, record.size())) return end::timed_out;
  }
  slot& mine = slots_[tail & slot_mask_];
  mine.begin = end_of_records(tail);
  mine.size = record.size();
  copy_in(mine.begin, record);
  QUARQ_ASSERT(tail + 1 - s.head.load(std::memory_order_acquire) <= s.items);
  s.record_added.notify();
  s.tail.store(tail + 1, std::memory_order_release);
  return end::done;
}

shared_ring::end shared_ring::try_push(std::string_view record) {
  refuse_what_never_fits(record.size());
  auto& s = *shared_;
  if (s.producer_waiting.load(std::memory_order_relaxed)) {
    // True, unless that producer was killed.
    if (s.push_turn.try_lock() == robust_mutex::result::timed_out)
      return is_closed() ? end::closed : end::timed_out;
    s.producer_waiting.store(0, std::memory_order_relaxed);
    s.push_turn.unlock();
  }
  std::uint64_t seen = 0;
  return store(record, seen);
}

shared_ring::end shared_ring::push(std::string_view record, const wait_limit& max) {
  refuse_what_never_fits(record.size());
  if (max.stop.stop_requested()) return end::stopped;
  if (!shared_->producer_waiting.load(std::memory_order_relaxed)) {
    std::uint64_t seen = 0;
    const end ended = store(record, seen);
    if (ended != end::timed_out) return ended;
  }
  return push_in_turn(record, max);
}

shared_ring::end shared_ring::push_in_turn(std::string_view record, const wait_limit& max) {
  auto& s = *shared_;
  const end had_turn = take_turn(s.push_turn, max);
  if (had_turn != end::done) return had_turn;
  struct turn {
    ~turn() {
      ring.producer_waiting.store(0, std::memory_order_relaxed);
      ring.push_turn.unlock();
    }
    layout& ring;
  } const held{s};
  s.producer_waiting.store(1, std::memory_order_relaxed);

  const std::stop_callback wake(max.stop, [&s] { s.room_freed.wake_all(); });
  while (true) {
    std::uint64_t seen = 0;
    const end ended = store(record, seen);
    if (ended != end::timed_out) return ended;
    const auto unchanged = [&] {
      return s.head.load(std::memory_order_relaxed) == seen && !s.closed.load(std::memory_order_relaxed);
    };
    const end slept = sleep(s.room_freed, s.popping, unchanged, max);
    if (slept != end::done) return slept;
  }
}

// ---- pop

shared_ring::end shared_ring::take(std::string& into, std::uint64_t& seen_tail) {
  auto& s = *shared_;
  // Nothing is pushed after the close.
  const bool was_closed = is_closed();
  seen_tail = s.tail.load(std::memory_order_acquire);
  if (s.head.load(std::memory_order_relaxed) == seen_tail) return was_closed ? end::closed : end::timed_out;

  const locked lock(s.popping, s.room_freed);
  const std::uint64_t head = s.head.load(std::memory_order_relaxed);
  if (head == s.last_tail) {
    s.last_tail = seen_tail = s.tail.load(std::memory_order_acquire);
    if (head == seen_tail) return was_closed ? end::closed : end::timed_out;
  }
  QUARQ_ASSERT(head < s.tail.load(std::memory_order_acquire));
  copy_out(slots_[head & slot_mask_], into);
  s.room_freed.notify();
  s.head.store(head + 1, std::memory_order_release);
  return end::done;
}

shared_ring::end shared_ring::try_pop(std::string& into) {
  std::uint64_t seen = 0;
  return take(into, seen);
}

shared_ring::end shared_ring::pop(std::string& into, const wait_limit& max) {
  if (max.stop.stop_requested()) return end::stopped;
  std::uint64_t seen = 0;
  for (int i = spins_of(max); i > 0; --i) {
    const end ended = take(into, seen);
    if (ended != end::timed_out) return ended;
    base::cpu_relax();
  }
  return pop_in_turn(into, max);
}

shared_ring::end shared_ring::pop_in_turn(std::string& into, const wait_limit& max) {
  auto& s = *shared_;
  const end had_turn = take_turn(s.pop_turn, max);
  if (had_turn != end::done) return had_turn;
  struct turn {
    ~turn() { mutex.unlock(); }
    robust_mutex& mutex;
  } const held{s.pop_turn};

  const std::stop_callback wake(max.stop, [&s] { s.record_added.wake_all(); });
  while (true) {
    std::uint64_t seen = 0;
    const end ended = take(into, seen);
    if (ended != end::timed_out) return ended;
    const auto unchanged = [&] {
      return s.tail.load(std::memory_order_relaxed) == seen && !s.closed.load(std::memory_order_relaxed);
    };
    const end slept = sleep(s.record_added, s.pushing, unchanged, max);
    if (slept != end::done) return slept;
  }
}

// ---- waiting

shared_ring::end shared_ring::take_turn(robust_mutex& turn, const wait_limit& max) {
  while (true) {
    if (max.stop.stop_requested()) return end::stopped;
    deadline until = max.until;
    if (max.stop.stop_possible()) {
      // Waiting for a mutex can't be interrupted.
      const auto slice = std::chrono::steady_clock::now() + stop_slice;
      until = until ? std::min(*until, slice) : slice;
    }
    if (turn.lock_until(until) != robust_mutex::result::timed_out) return end::done;
    if (max.until && std::chrono::steady_clock::now() >= *max.until) return end::timed_out;
  }
}

template <class Unchanged>
shared_ring::end shared_ring::sleep(process_condition& condition, robust_mutex& changers,
                                    const Unchanged& unchanged, const wait_limit& max) {
  for (int i = spins_of(max); i > 0; --i) {
    if (!unchanged()) return end::done;
    base::cpu_relax();
  }
  process_condition::epoch epoch = 0;
  {
    const locked lock(changers, condition);
    if (!unchanged()) return end::done;
    epoch = condition.prepare_wait();
  }
  if (max.stop.stop_requested()) return end::stopped;
  return condition.wait(epoch, max.until) ? end::done : end::timed_out;
}

// The only function that holds two of these mutexes.
void shared_ring::close() {
  const locked no_push(shared_->pushing, shared_->record_added);
  const locked no_pop(shared_->popping, shared_->room_freed);
  shared_->record_added.notify();
  shared_->room_freed.notify();
  shared_->closed.store(1, std::memory_order_release);
}

// ---- task_done and join

void shared_ring::task_done() {
  auto& s = *shared_;
  const auto refuse_if_none = [&s](std::uint64_t finished) {
    if (finished / 2 >= s.head.load(std::memory_order_acquire))
      throw usage_error("task_done() called more often than items were taken: " +
                        std::to_string(finished / 2) + " times before");
  };
  std::uint64_t finished = s.finished.load(std::memory_order_relaxed);
  while (!(finished & join_waiting)) {
    refuse_if_none(finished);
    if (s.finished.compare_exchange_weak(finished, finished + 2)) return;
  }
  const locked lock(s.finishing, s.all_finished);
  finished = s.finished.load();
  while (true) {
    refuse_if_none(finished);
    std::uint64_t next = finished + 2;
    if (next / 2 == s.tail.load()) {
      s.all_finished.notify();
      next &= ~join_waiting;
    }
    if (s.finished.compare_exchange_weak(finished, next)) return;
  }
}

shared_ring::end shared_ring::join(const wait_limit& max) {
  auto& s = *shared_;
  const std::stop_callback wake(max.stop, [&s] { s.all_finished.wake_all(); });
  while (true) {
    if (max.stop.stop_requested()) return end::stopped;
    process_condition::epoch epoch = 0;
    {
      const locked lock(s.finishing, s.all_finished);
      // From here on every task_done() takes the mutex.
      const std::uint64_t finished = s.finished.fetch_or(join_waiting);
      if (finished / 2 == s.tail.load()) return end::done;
      epoch = s.all_finished.prepare_wait();
    }
    if (max.stop.stop_requested()) return end::stopped;
    if (!s.all_finished.wait(epoch, max.until)) return unfinished() == 0 ? end::done : end::timed_out;
  }
}

// ---- state

bool shared_ring::is_closed() const noexcept {
  return shared_->closed.load(std::memory_order_acquire) != 0;
}

std::uint64_t shared_ring::size() const noexcept {
  const std::uint64_t head = shared_->head.load(std::memory_order_acquire);
  return std::min(shared_->tail.load(std::memory_order_acquire) - head, shared_->items);
}

std::uint64_t shared_ring::unfinished() const noexcept {
  const std::uint64_t finished = shared_->finished.load(std::memory_order_acquire) / 2;
  return shared_->tail.load(std::memory_order_acquire) - finished;
}

std::uint64_t shared_ring::items() const noexcept {
  return shared_->items;
}

std::uint64_t shared_ring::bytes() const noexcept {
  return shared_->bytes;
}

}  // namespace quarq::processes
