// Calls that wait for a place in a full queue, and are cancelled.
#include <atomic>
#include <chrono>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <quarq/gather.hpp>
#include <quarq/thread_pool.hpp>

#include "base/linked_list.hpp"
#include "base/sanitizers.hpp"
#include "support/gate.hpp"
#include "support/on_loop.hpp"
#include "unit/threads/thread_pools.hpp"

namespace quarq::test::thread_pool_many_waiters_tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

TEST(thread_pool, very_many_waiting_calls_are_cancelled) {
  // So many that a search of the line for each would take minutes.
  constexpr int calls = base::sanitized ? 10'000 : 100'000;
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  threads.post([] {});
  std::atomic<int> ran = 0;
  asio::io_context loop(1);
  asio::cancellation_signal cancel;
  bool ended = false;
  const auto all_calls = [&]() -> awaitable<void> {
    std::vector<awaitable<void>> all;
    for (int i = 0; i < calls; ++i) all.push_back(threads.run([&] { ++ran; }));
    co_await gather(std::move(all));
  };
  asio::co_spawn(loop, all_calls(),
                 asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& e) {
                   ended = true;
                   EXPECT_TRUE(is_aborted(e));
                 }));
  loop.poll();
  cancel.emit(asio::cancellation_type::terminal);
  loop.run_for(test_timeout);
  EXPECT_TRUE(ended);
  busy.open();
  run_on_loop(threads.run([] {}));
  EXPECT_EQ(ran, 0);
}

/// One that waits, on a page of its own, which nobody may touch but where the test says so.
struct lone_waiter : base::linked<lone_waiter> {};

class pages_of_waiters {
 public:
  explicit pages_of_waiters(std::size_t count)
      : bytes_(count * page),
        memory_(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    for (std::size_t i = 0; i < count; ++i) new (at(i)) lone_waiter;
  }
  ~pages_of_waiters() { ::munmap(memory_, bytes_); }
  pages_of_waiters(const pages_of_waiters&) = delete;
  pages_of_waiters& operator=(const pages_of_waiters&) = delete;

  lone_waiter& operator[](std::size_t i) const { return *static_cast<lone_waiter*>(at(i)); }
  void close_all() const { ::mprotect(memory_, bytes_, PROT_NONE); }
  void open(std::size_t i) const { ::mprotect(at(i), page, PROT_READ | PROT_WRITE); }
  void open_all() const { ::mprotect(memory_, bytes_, PROT_READ | PROT_WRITE); }

 private:
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* at(std::size_t i) const { return static_cast<char*>(memory_) + i * page; }

  std::size_t bytes_;
  void* memory_;
};

// What the lines of all pools are made of. A search would touch pages that may not be touched, and end the
// test.
TEST(linked_list, removing_one_touches_its_neighbours_only) {
  const pages_of_waiters waiters(9);
  base::linked_list<lone_waiter> line;
  for (std::size_t i = 0; i < 9; ++i) line.push_back(waiters[i]);
  for (const std::size_t gone : {4, 0, 8}) {
    waiters.close_all();
    for (const std::size_t i : {gone, gone - 1, gone + 1})
      if (i < 9) waiters.open(i);
    line.remove(waiters[gone]);
    waiters.open_all();
  }
  for (const std::size_t left : {1, 2, 3, 5, 6, 7}) EXPECT_EQ(&line.pop_front(), &waiters[left]);
  EXPECT_TRUE(line.empty());
}

// The middle, the first and the last of the list leave it; the others keep their order.
TEST(thread_pool, calls_that_wait_keep_their_order_when_others_are_cancelled) {
  thread_pool threads(bounded(1, 1));
  gate busy;
  threads.post([&] { busy.pass(); });
  busy.wait_until_reached();
  threads.post([] {});
  std::vector<int> order;
  asio::io_context loop(1);
  std::vector<asio::cancellation_signal> cancel(9);
  int cancelled = 0;
  for (int i = 0; i < 9; ++i)
    asio::co_spawn(loop, threads.run([&order, i] { order.push_back(i); }),
                   asio::bind_cancellation_slot(cancel[i].slot(), [&](const std::exception_ptr& e) {
                     if (e) ++cancelled;
                   }));
  loop.poll();
  for (const int i : {4, 0, 8, 5}) cancel[i].emit(asio::cancellation_type::terminal);
  busy.open();
  loop.run_for(test_timeout);
  EXPECT_EQ(cancelled, 4);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 6, 7}));
}

}  // namespace
}  // namespace quarq::test::thread_pool_many_waiters_tests
