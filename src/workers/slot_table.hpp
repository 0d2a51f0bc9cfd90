// How many jobs a worker may run at once, in all and of each kind.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include <quarq/level.hpp>

#include "base/assert.hpp"
#include "workers/work_ahead.hpp"

namespace quarq::workers {

class slot_table {
 public:
  /// `concurrency`: jobs under way at once. `max_jobs`: to be started in all; 0: no limit.
  slot_table(std::size_t concurrency, std::size_t max_jobs)
      : concurrency_(concurrency), max_jobs_(max_jobs) {}

  /// Jobs that may be on this level, those that wait for a thread or process included. 0: no handler runs
  /// there.
  void set_limit(level where, std::size_t max) noexcept { kind(where).max = max; }

  /// How many jobs may wait on this level beyond its limit, so that its threads do not wait for the broker.
  void set_ahead(level where, std::size_t ahead) noexcept { kind(where).ahead = ahead; }

  std::size_t ahead(level where) const noexcept { return kinds_[static_cast<std::size_t>(where)].ahead; }

  /// How many more jobs may be claimed. Nobody knows what the next job is: where handlers run on several
  /// levels, one job may wait on each level that is full, so that the others go on. As soon as it does,
  /// another worker may have room there, and jobs are not hoarded here. `unrecorded`: ends that the broker
  /// does not know yet. Beyond `concurrency` they take slots, so that a store that takes no ends gives no
  /// jobs.
  std::size_t room(std::size_t unrecorded = 0) const noexcept {
    if (is_closed_) return 0;
    std::size_t free = left(concurrency_ + ahead_of_slots(), under_way_ + left(unrecorded, concurrency_));
    if (one_at_a_time_) free = std::min<std::size_t>(free, 1);
    if (max_jobs_ != 0) free = std::min(free, left(max_jobs_, started_));
    const auto levels = std::count_if(kinds_.begin(), kinds_.end(), [](const auto& k) { return k.max > 0; });
    const std::size_t least_ahead = levels > 1 ? 1 : 0;
    std::size_t on_levels = 0;
    for (const auto& k : kinds_) {
      if (k.max == 0) continue;
      const std::size_t ahead = std::max(&k == &loop() ? ahead_of_slots() : k.ahead, least_ahead);
      const std::size_t here = left(k.max + ahead, k.taken);
      if (here == 0) return 0;
      on_levels += here;
    }
    return std::min(free, on_levels);
  }

  /// Where there are several queues, whose weights count whenever a slot is free: no job is claimed before there is
  /// one for it.
  void claim_for_free_slots_only() noexcept { may_be_ahead_ = false; }
  /// Whether there is a slot for a job that was claimed. Where handlers run on the loop, and jobs are quick, so many are
  /// claimed before there is.
  bool has_slot() const noexcept { return !has_loop() || under_way_ < concurrency_; }
  std::size_t ahead_of_slots() const noexcept {
    return may_be_ahead_ && has_loop() ? work_ahead_.jobs(concurrency_) : 0;
  }
  /// A job has had its slot for so long; or one has waited in vain for a slot.
  void note_use(std::chrono::nanoseconds held) noexcept { work_ahead_.note_use(held); }
  void note_delay() noexcept { work_ahead_.note_delay(); }

  /// While they are closed, there is no room for further jobs.
  void close() noexcept { is_closed_ = true; }
  void open() noexcept { is_closed_ = false; }
  bool is_closed() const noexcept { return is_closed_; }
  /// Whether room() is one slot at most.
  void take_one_at_a_time(bool on) noexcept { one_at_a_time_ = on; }

  /// Whether max_jobs have been started.
  bool is_spent() const noexcept { return max_jobs_ != 0 && started_ >= max_jobs_; }

  void job_began() noexcept { ++started_, ++under_way_; }
  void job_ended() noexcept {
    QUARQ_ASSERT(under_way_ > 0);
    --under_way_;
  }
  /// One that began was handed back without a run.
  void job_did_not_count() noexcept {
    QUARQ_ASSERT(started_ > 0);
    --started_;
  }

 private:
  friend class slot_guard;
  friend class job_slots;
  struct kind_slots {
    std::size_t max = 0, ahead = 0, taken = 0;
  };
  static constexpr std::size_t left(std::size_t limit, std::size_t used) noexcept {
    return limit > used ? limit - used : 0;
  }
  kind_slots& kind(level where) noexcept { return kinds_[static_cast<std::size_t>(where)]; }
  bool has_loop() const noexcept { return loop().max > 0; }
  const kind_slots& loop() const noexcept { return kinds_[static_cast<std::size_t>(level::loop)]; }

  std::size_t concurrency_, max_jobs_;
  std::size_t started_ = 0, under_way_ = 0;
  bool is_closed_ = false, one_at_a_time_ = false, may_be_ahead_ = true;
  std::array<kind_slots, 3> kinds_{};
  work_ahead work_ahead_;
};

/// While it lives, a job takes one of the slots of its level.
class slot_guard {
 public:
  slot_guard(slot_table& table, level where) : slots_(table.kind(where)) { ++slots_.taken; }
  ~slot_guard() { --slots_.taken; }
  slot_guard(const slot_guard&) = delete;
  slot_guard& operator=(const slot_guard&) = delete;

 private:
  slot_table::kind_slots& slots_;
};

/// What one job takes: a slot of all, from its claim to its end, and one of its level, until its handler has ended.
/// A job that waits for another lends both to others, so that jobs which wait for each other do not keep each
/// other from running. It takes them back when it goes on, even if that is one too many.
class job_slots {
 public:
  explicit job_slots(slot_table& table) : table_(table) { table_.job_began(); }
  ~job_slots() {
    if (!lent_) table_.job_ended();
  }
  job_slots(const job_slots&) = delete;
  job_slots& operator=(const job_slots&) = delete;

  void take_level(level where) {
    level_ = where;
    if (!lent_) guard_.emplace(table_, where);
  }
  void leave_level() noexcept {
    level_.reset();
    guard_.reset();
  }

  /// REQUIRES: they are not lent.
  void lend() noexcept {
    QUARQ_ASSERT(!lent_);
    lent_ = true;
    guard_.reset();
    table_.job_ended();
  }
  /// REQUIRES: they are lent.
  void take_back() noexcept {
    QUARQ_ASSERT(lent_);
    lent_ = false;
    if (level_) guard_.emplace(table_, *level_);
    ++table_.under_way_;
  }
  bool are_lent() const noexcept { return lent_; }

 private:
  slot_table& table_;
  std::optional<level> level_;
  std::optional<slot_guard> guard_;
  bool lent_ = false;
};

}  // namespace quarq::workers
