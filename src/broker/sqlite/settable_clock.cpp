#include "broker/sqlite/settable_clock.hpp"

#include <mutex>
#include <stdexcept>

#include "broker/sqlite/writer_thread.hpp"

namespace quarq::broker::sqlite {

namespace {

struct clock_in_use {
  std::mutex mutex;
  std::shared_ptr<settable_clock> time;
};

clock_in_use& clock_now_in_use() {
  static clock_in_use one;
  return one;
}

}  // namespace

void settable_clock::advance(milliseconds by) noexcept {
  auto before = now_.load();
  while (!now_.compare_exchange_weak(before, before + by)) {
  }
}

clocks settable_clock::for_store() {
  auto all = machine_clocks();
  all.wall = [self = shared_from_this()] { return self->now(); };
  all.uptime = [at = all.uptime()] { return at; };
  return all;
}

void go_by(const std::shared_ptr<settable_clock>& time) {
  auto& current = clock_now_in_use();
  const std::lock_guard lock(current.mutex);
  if (current.time) throw std::logic_error("there is a quarq::testing::clock already");
  if (!writer_thread::open_in_memory().empty())
    throw std::logic_error("sqlite::memory: is in use: make the quarq::testing::clock before");
  current.time = time;
}

void stop_going_by(const settable_clock& time) noexcept {
  auto& current = clock_now_in_use();
  const std::lock_guard lock(current.mutex);
  if (current.time.get() == &time) current.time.reset();
}

clocks clocks_in_memory() {
  auto& current = clock_now_in_use();
  const std::lock_guard lock(current.mutex);
  return current.time ? current.time->for_store() : machine_clocks();
}

}  // namespace quarq::broker::sqlite
