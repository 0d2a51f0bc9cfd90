// Processes that use one queue, killed thousands of times at random moments: nobody else hangs, no item is
// torn or comes twice, and only what a killed consumer had in its hands is lost.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>

#include <quarq/errors.hpp>

#include "base/sanitizers.hpp"
#include "processes/shared_ring.hpp"
#include "support/forked.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;
using processes::shared_ring;
using ring_end = shared_ring::end;
using clock = std::chrono::steady_clock;

constexpr int scale = base::sanitized ? 5 : 1;  // a fork takes that much longer

/// Memory that the processes share, apart from the queue.
template <class T>
class shared {
 public:
  shared() {
    void* const at =
        mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    value_ = static_cast<T*>(at);  // zeros, which is what these are made of
  }
  ~shared() { munmap(static_cast<void*>(value_), sizeof(T)); }
  shared(const shared&) = delete;
  T* operator->() const noexcept { return value_; }

 private:
  T* value_;
};

class dice {
 public:
  explicit dice(unsigned seed) : random_(seed) {}
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  /// Returns at a random time within the next `microseconds`.
  void wait(int microseconds) {
    const auto until = clock::now() + std::chrono::nanoseconds(below(microseconds * 1000));
    while (clock::now() < until) sched_yield();
  }

 private:
  std::mt19937 random_;
};

// ---- producers and consumers

constexpr int max_producers = 20'000;
constexpr int max_each = 8192;

struct ledger {
  std::atomic<std::uint64_t> taken;
  std::atomic<std::uint64_t> wrong;
  std::atomic<bool> no_more;
  std::atomic<std::uint32_t> producers;                ///< numbers taken so far
  std::atomic<std::uint32_t> returned[max_producers];  ///< how many of its puts have returned
  std::atomic<std::uint8_t> seen[max_producers][max_each];
};

std::string record_of(std::uint32_t producer, std::uint32_t number) {
  std::string record(8 + (producer + number * 13) % 90,
                     static_cast<char>('A' + (producer * 7 + number) % 26));
  std::memcpy(record.data(), &producer, 4);
  std::memcpy(record.data() + 4, &number, 4);
  return record;
}

void work(int microseconds) {
  const auto until = clock::now() + std::chrono::microseconds(microseconds);
  while (clock::now() < until) {
  }
}

int produce(shared_ring& ring, const shared<ledger>& book, int pace) {
  std::uint32_t producer = book->producers++;
  for (std::uint32_t number = 0; !book->no_more; ++number) {
    if (number == max_each) {
      producer = book->producers++;
      number = 0;
    }
    if (producer >= max_producers) return 8;
    if (ring.push(record_of(producer, number), {}) != ring_end::done) return 5;
    book->returned[producer] = number + 1;
    if (pace) work(pace);
  }
  return 0;
}

int consume(shared_ring& ring, const shared<ledger>& book, int pace) {
  std::string got;
  std::vector<std::int64_t> last(max_producers, -1);
  while (ring.pop(got, {}) == ring_end::done) {
    std::uint32_t producer = 0, number = 0;
    if (got.size() >= 8) {
      std::memcpy(&producer, got.data(), 4);
      std::memcpy(&number, got.data() + 4, 4);
    }
    if (producer >= max_producers || number >= max_each || got != record_of(producer, number) ||
        std::int64_t(number) <= last[producer]) {
      ++book->wrong;
      return 6;
    }
    last[producer] = number;
    ++book->seen[producer][number];
    ++book->taken;
    ring.task_done();
    if (pace) work(pace);
  }
  return 0;
}

struct pace {
  std::uint64_t items;
  int producer;  ///< microseconds of work for an item
  int consumer;
};

void kill_at_random(const pace& p, unsigned seed) {
  constexpr int sides = 2;
  const int rounds = 1000 / scale;
  shared_ring ring(p.items, 200);
  shared<ledger> book;
  dice random(seed);
  int killed_consumers = 0;
  std::vector<forked> producers, consumers;
  const auto new_producer = [&] {
    return forked([&ring, &book, &p] { return produce(ring, book, p.producer); });
  };
  const auto new_consumer = [&] {
    return forked([&ring, &book, &p] { return consume(ring, book, p.consumer); });
  };
  for (int i = 0; i < sides; ++i) {
    producers.push_back(new_producer());
    consumers.push_back(new_consumer());
  }
  for (int i = 0; i < rounds; ++i) {
    random.wait(300);
    const bool is_producer = random.below(2) == 0;
    auto& victim = (is_producer ? producers : consumers)[static_cast<std::size_t>(random.below(sides))];
    victim.kill();
    killed_consumers += !is_producer;
    // The one left of its kind does not hang, whatever the victim had in hand.
    const auto before = book->taken.load();
    const auto until = clock::now() + default_timeout;
    while (book->taken == before) {
      ASSERT_LT(clock::now(), until) << "nothing moves after kill " << i << ", of a "
                                     << (is_producer ? "producer" : "consumer") << ", seed " << seed;
      sched_yield();
    }
    victim = is_producer ? new_producer() : new_consumer();
  }
  book->no_more = true;
  for (auto& one : producers) EXPECT_EQ(one.wait(), 0);
  ring.close();
  for (auto& one : consumers) EXPECT_EQ(one.wait(), 0);

  EXPECT_EQ(book->wrong, 0);
  int lost = 0;
  for (std::uint32_t k = 0; k < book->producers; ++k) {
    for (std::uint32_t n = 0; n < max_each; ++n) {
      const int times = book->seen[k][n];
      ASSERT_LE(times, 1) << "item " << n << " of producer " << k;
      if (n < book->returned[k]) lost += times == 0;
      ASSERT_TRUE(n <= book->returned[k] || times == 0) << "item " << n << " of producer " << k;
    }
  }
  EXPECT_EQ(ring.size(), 0);
  EXPECT_LE(lost, killed_consumers);
  // Taken, but killed before it was seen or before task_done().
  EXPECT_LE(ring.unfinished(), static_cast<std::uint64_t>(killed_consumers));
  EXPECT_GT(book->taken, 0);
}

TEST(joinable_queue_killed_peers, as_fast_as_they_can) {
  kill_at_random({8, 0, 0}, 1);
}

TEST(joinable_queue_killed_peers, consumers_wait) {
  kill_at_random({8, 30, 0}, 2);
}

TEST(joinable_queue_killed_peers, producers_wait) {
  kill_at_random({3, 0, 30}, 3);
}

// ---- sleepers that die

TEST(joinable_queue_killed_peers, the_turn_of_a_sleeper_that_dies_goes_to_the_next) {
  dice random(4);
  for (int round = 0; round < 200 / scale; ++round) {
    shared_ring ring(1, 10);
    std::vector<forked> consumers;
    for (int i = 0; i < 3; ++i) {
      consumers.emplace_back([&ring] {
        std::string got;
        return ring.pop(got, {}) == ring_end::done ? 0 : 7;
      });
    }
    for (const auto& one : consumers) ASSERT_TRUE(one.sleeps());
    const auto dies = static_cast<std::size_t>(random.below(3));
    // Also when it dies while it is being woken.
    if (round % 2) consumers[dies].kill();
    ASSERT_EQ(ring.push("x", {}), ring_end::done);
    consumers[dies].kill();
    ASSERT_EQ(ring.push("y", {}), ring_end::done);
    ASSERT_EQ(ring.push("z", {}), ring_end::done);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == dies) continue;
      ASSERT_EQ(consumers[i].wait(), 0) << "round " << round;
    }
  }
}

TEST(joinable_queue_killed_peers, the_turn_of_a_producer_that_dies_goes_to_the_next) {
  dice random(5);
  for (int round = 0; round < 200 / scale; ++round) {
    shared_ring ring(1, 10);
    ASSERT_EQ(ring.push("first", {}), ring_end::done);
    std::vector<forked> producers;
    for (int i = 0; i < 3; ++i) {
      producers.emplace_back(
          [&ring, i] { return ring.push(std::to_string(i), {}) == ring_end::done ? 0 : 7; });
    }
    for (const auto& one : producers) ASSERT_TRUE(one.sleeps());
    const auto dies = static_cast<std::size_t>(random.below(3));
    producers[dies].kill();
    std::string got;
    std::string all;
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(ring.pop(got, {clock::now() + default_timeout, {}}), ring_end::done) << "round " << round;
      if (i > 0) all += got;
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == dies) continue;
      ASSERT_EQ(producers[i].wait(), 0);
      EXPECT_NE(all.find(std::to_string(i)), std::string::npos);
    }
    // The flag that a producer waits was left set by a dead one.
    EXPECT_EQ(ring.try_push("x"), ring_end::done);
  }
}

// ---- join and close

TEST(joinable_queue_killed_peers, join_ends_though_those_who_finish_are_killed) {
  constexpr int items = 4000;
  dice random(6);
  for (int round = 0; round < 60 / scale; ++round) {
    shared_ring ring(items, 10);
    std::string got;
    for (int i = 0; i < items; ++i) {
      ASSERT_EQ(ring.try_push(""), ring_end::done);
      ASSERT_EQ(ring.try_pop(got), ring_end::done);
    }
    forked joins([&ring] { return ring.join({}) == ring_end::done && ring.unfinished() == 0 ? 0 : 7; });
    const auto finish = [&ring] {
      try {
        while (true) ring.task_done();
      } catch (const usage_error&) {
        return 0;
      }
    };
    std::vector<forked> finishing;
    for (int i = 0; i < 2; ++i) finishing.emplace_back(finish);
    for (int i = 0; i < 10; ++i) {
      random.wait(100);
      auto& victim = finishing[static_cast<std::size_t>(random.below(2))];
      victim.kill();
      victim = forked(finish);
    }
    for (auto& one : finishing) ASSERT_EQ(one.wait(), 0);
    ASSERT_EQ(joins.wait(), 0) << "round " << round;
  }
}

TEST(joinable_queue_killed_peers, a_close_that_is_killed_has_happened_or_not) {
  dice random(7);
  for (int round = 0; round < 300 / scale; ++round) {
    shared_ring empty(1, 10), full(1, 10);
    ASSERT_EQ(full.try_push("x"), ring_end::done);
    std::vector<forked> waiting;
    for (int i = 0; i < 2; ++i) {
      waiting.emplace_back([&empty] {
        std::string got;
        return empty.pop(got, {}) == ring_end::closed ? 0 : 7;
      });
      waiting.emplace_back([&full] { return full.push("y", {}) == ring_end::closed ? 0 : 7; });
    }
    for (const auto& one : waiting) ASSERT_TRUE(one.sleeps());
    forked closes([&] {
      empty.close();
      full.close();
      return 0;
    });
    random.wait(400);
    closes.kill();
    if (!empty.is_closed()) empty.close();
    if (!full.is_closed()) full.close();
    for (auto& one : waiting) ASSERT_EQ(one.wait(), 0) << "round " << round;
  }
}

}  // namespace
}  // namespace quarq::test
