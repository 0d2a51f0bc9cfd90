// The queue in shared memory, between threads and within one process; its kills are in tests/faults.
#include "processes/shared_ring.hpp"

#include <atomic>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "support/default_timeout.hpp"

namespace quarq::processes {
namespace {

using namespace std::chrono_literals;
using end = shared_ring::end;

wait_limit soon() {
  return {std::chrono::steady_clock::now() + test::default_timeout, {}};
}

wait_limit no_longer_than(std::chrono::milliseconds max) {
  return {std::chrono::steady_clock::now() + max, {}};
}

std::string text_of(std::size_t size, char first) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + static_cast<char>(i * 7));
  return text;
}

TEST(shared_ring, keeps_the_order_and_every_size) {
  shared_ring ring(3, 1000);
  std::string got = "old";
  for (std::size_t size = 0; size <= 1000; ++size) {
    ASSERT_EQ(ring.try_push(text_of(size, 'a')), end::done) << size;
    ASSERT_EQ(ring.try_pop(got), end::done);
    ASSERT_EQ(got, text_of(size, 'a'));
  }
  for (char c = 'a'; c <= 'c'; ++c) EXPECT_EQ(ring.try_push(text_of(300, c)), end::done);
  for (char c = 'a'; c <= 'c'; ++c) {
    EXPECT_EQ(ring.try_pop(got), end::done);
    EXPECT_EQ(got, text_of(300, c));
  }
}

TEST(shared_ring, is_bounded_in_items) {
  shared_ring ring(4, 1000);
  std::string got;
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(ring.size(), 0);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.try_push("x"), end::done);
    EXPECT_EQ(ring.size(), 4);
    EXPECT_EQ(ring.try_push("x"), end::timed_out);
    EXPECT_EQ(ring.push("x", no_longer_than(1ms)), end::timed_out);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.try_pop(got), end::done);
    EXPECT_EQ(ring.try_pop(got), end::timed_out);
    EXPECT_EQ(ring.pop(got, no_longer_than(1ms)), end::timed_out);
  }
}

TEST(shared_ring, is_bounded_in_bytes) {
  shared_ring ring(100, 10);
  std::string got;
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(ring.try_push("12345"), end::done);
    EXPECT_EQ(ring.try_push("123456"), end::timed_out);
    EXPECT_EQ(ring.try_push("1234"), end::done);
    EXPECT_EQ(ring.try_push("12"), end::timed_out);
    EXPECT_EQ(ring.try_push(""), end::done);
    EXPECT_EQ(ring.try_push("1"), end::done);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.try_pop(got), end::done);
    EXPECT_EQ(got, "1");
  }
}

TEST(shared_ring, an_item_that_never_fits_is_refused_with_both_sizes) {
  shared_ring ring(100, 10);
  for (const auto& push : {+[](shared_ring& r) { r.try_push("12345678901"); },
                           +[](shared_ring& r) { r.push("12345678901", {}); }}) {
    try {
      push(ring);
      FAIL() << "was pushed";
    } catch (const usage_error& e) {
      EXPECT_STREQ(e.what(), "an item of 11 bytes does not fit into a queue of 10 bytes");
    }
  }
  EXPECT_EQ(ring.try_push("1234567890"), end::done);
}

TEST(shared_ring, bounds_out_of_range_are_refused) {
  EXPECT_THROW(shared_ring(0, 10), usage_error);
  EXPECT_THROW(shared_ring(10, 0), usage_error);
  EXPECT_THROW(shared_ring((std::uint64_t(1) << 32) + 1, 10), usage_error);
  EXPECT_THROW(shared_ring(10, (std::uint64_t(1) << 40) + 1), usage_error);
}

TEST(shared_ring, capacity_one) {
  shared_ring ring(1, 1);
  std::string got;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ring.try_push("a"), end::done);
    EXPECT_EQ(ring.try_push(""), end::timed_out);
    EXPECT_EQ(ring.try_pop(got), end::done);
    EXPECT_EQ(got, "a");
  }
}

TEST(shared_ring, a_second_mapping_is_the_same_queue) {
  shared_ring ring(4, 100);
  shared_ring other(dup(ring.descriptor()));
  EXPECT_EQ(other.items(), 4);
  EXPECT_EQ(other.bytes(), 100);
  ring.try_push("over there");
  std::string got;
  EXPECT_EQ(other.try_pop(got), end::done);
  EXPECT_EQ(got, "over there");
  other.close();
  EXPECT_TRUE(ring.is_closed());
}

TEST(shared_ring, another_descriptor_is_refused_and_closed) {
  const int small = memfd_create("small", MFD_CLOEXEC);
  EXPECT_THROW(shared_ring{small}, usage_error);
  EXPECT_EQ(fcntl(small, F_GETFD), -1);
  const int zeros = memfd_create("zeros", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(zeros, 1 << 20), 0);
  EXPECT_THROW(shared_ring{zeros}, usage_error);
  EXPECT_EQ(fcntl(zeros, F_GETFD), -1);
  const int device = open("/dev/null", O_RDWR | O_CLOEXEC);
  EXPECT_THROW(shared_ring{device}, usage_error);
}

TEST(shared_ring, nobody_can_pull_the_memory_away) {
  shared_ring ring(4, 100);
  EXPECT_EQ(ftruncate(ring.descriptor(), 0), -1);
}

TEST(shared_ring, a_push_wakes_a_consumer_that_waits) {
  shared_ring ring(4, 100);
  for (int i = 0; i < 200; ++i) {
    std::jthread consumer([&] {
      std::string got;
      EXPECT_EQ(ring.pop(got, soon()), end::done);
    });
    if (i % 2) std::this_thread::yield();
    EXPECT_EQ(ring.push("x", soon()), end::done);
  }
}

TEST(shared_ring, a_pop_wakes_a_producer_that_waits) {
  shared_ring ring(2, 10);
  std::string got;
  for (const std::string big : {"x", "1234567890"}) {
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(ring.try_push("a"), end::done);
      ASSERT_EQ(ring.try_push("b"), end::done);
      std::jthread producer([&] { EXPECT_EQ(ring.push(big, soon()), end::done); });
      for (const std::string& expected : {std::string("a"), std::string("b"), big}) {
        ASSERT_EQ(ring.pop(got, soon()), end::done);
        ASSERT_EQ(got, expected);
      }
    }
  }
}

TEST(shared_ring, a_producer_that_waits_for_room_is_not_overtaken) {
  shared_ring ring(100, 10);
  ASSERT_EQ(ring.try_push("a"), end::done);
  std::jthread big([&] { EXPECT_EQ(ring.push("1234567890", soon()), end::done); });
  // There is never less than one byte in it, and always room for one more.
  std::string got;
  const auto until = std::chrono::steady_clock::now() + test::default_timeout;
  while (ring.try_push("b") == end::done) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    ASSERT_EQ(ring.try_pop(got), end::done);
  }
  EXPECT_EQ(ring.size(), 1);
  ASSERT_EQ(ring.pop(got, soon()), end::done);
  ASSERT_EQ(ring.pop(got, soon()), end::done);
  EXPECT_EQ(got, "1234567890");
}

TEST(shared_ring, close_wakes_everybody_and_keeps_what_is_there) {
  for (int i = 0; i < 50; ++i) {
    shared_ring empty(1, 10), full(1, 10);
    ASSERT_EQ(full.try_push("left"), end::done);
    {
      std::vector<std::jthread> waiting;
      for (int k = 0; k < 3; ++k) {
        waiting.emplace_back([&] {
          std::string got;
          EXPECT_EQ(empty.pop(got, soon()), end::closed);
        });
        waiting.emplace_back([&] { EXPECT_EQ(full.push("x", soon()), end::closed); });
      }
      if (i % 2) std::this_thread::yield();
      empty.close();
      full.close();
    }
    EXPECT_EQ(full.push("x", soon()), end::closed);
    EXPECT_EQ(full.try_push("x"), end::closed);
    std::string got;
    EXPECT_EQ(full.pop(got, soon()), end::done);
    EXPECT_EQ(got, "left");
    EXPECT_EQ(full.pop(got, soon()), end::closed);
    EXPECT_EQ(full.try_pop(got), end::closed);
    full.close();
  }
}

TEST(shared_ring, a_stop_ends_every_wait) {
  for (int i = 0; i < 20; ++i) {
    shared_ring empty(1, 10), full(1, 10);
    ASSERT_EQ(full.try_push("left"), end::done);
    std::stop_source stop;
    std::vector<std::jthread> waiting;
    for (int k = 0; k < 3; ++k) {
      waiting.emplace_back([&] {
        std::string got;
        EXPECT_EQ(empty.pop(got, {soon().until, stop.get_token()}), end::stopped);
      });
      waiting.emplace_back(
          [&] { EXPECT_EQ(full.push("x", {soon().until, stop.get_token()}), end::stopped); });
      waiting.emplace_back([&] { EXPECT_EQ(full.join({soon().until, stop.get_token()}), end::stopped); });
    }
    if (i % 2) std::this_thread::yield();
    stop.request_stop();
    waiting.clear();
    EXPECT_EQ(full.size(), 1);
  }
}

TEST(shared_ring, join_waits_for_the_last_task_done) {
  shared_ring ring(10, 100);
  EXPECT_EQ(ring.join({}), end::done);
  EXPECT_THROW(ring.task_done(), usage_error);
  std::string got;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 3; ++i) ring.try_push("x");
    EXPECT_EQ(ring.unfinished(), 3);
    if (round % 10 == 0) {
      EXPECT_EQ(ring.join(no_longer_than(1ms)), end::timed_out);
    }
    EXPECT_THROW(ring.task_done(), usage_error);
    std::atomic<int> done = 0;
    std::vector<std::jthread> joining;
    for (int k = 0; k < 2; ++k)
      joining.emplace_back([&] {
        EXPECT_EQ(ring.join(soon()), end::done);
        EXPECT_EQ(done, 3);
      });
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(ring.try_pop(got), end::done);
      ++done;
      ring.task_done();
    }
    EXPECT_THROW(ring.task_done(), usage_error);
  }
}

// Each record names its producer and its number.
TEST(shared_ring, many_producers_and_consumers_lose_and_double_nothing) {
  constexpr std::uint32_t producers = 3, consumers = 3, each = 20'000;
  shared_ring ring(16, 500);
  std::vector<std::atomic<int>> seen(producers * each);
  {
    std::vector<std::jthread> consuming, producing;
    for (std::uint32_t k = 0; k < consumers; ++k) {
      consuming.emplace_back([&] {
        std::string got;
        std::vector<std::int64_t> last(producers, -1);
        while (ring.pop(got, soon()) == end::done) {
          const auto id = static_cast<std::uint32_t>(std::stoul(got));
          ASSERT_EQ(got, std::to_string(id) + text_of(id % 100, 'A'));
          ASSERT_GT(std::int64_t(id % each), last[id / each]) << "out of order";
          last[id / each] = id % each;
          ++seen[id];
          ring.task_done();
        }
      });
    }
    for (std::uint32_t k = 0; k < producers; ++k) {
      producing.emplace_back([&ring, k] {
        for (std::uint32_t i = k * each; i < (k + 1) * each; ++i)
          ASSERT_EQ(ring.push(std::to_string(i) + text_of(i % 100, 'A'), soon()), end::done);
      });
    }
    producing.clear();
    EXPECT_EQ(ring.join(soon()), end::done);
    EXPECT_EQ(ring.unfinished(), 0);
    ring.close();
  }
  for (const auto& times : seen) ASSERT_EQ(times, 1);
}

}  // namespace
}  // namespace quarq::processes
