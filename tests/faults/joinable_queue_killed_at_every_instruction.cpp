// An operation is killed after one of its instructions, in each run after another one, while a process sleeps
// that waits for its effect. The operation has happened or not, and the sleeper is woken if it has.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/ptrace.h>

#include <quarq/errors.hpp>

#include "processes/shared_ring.hpp"
#include "support/forked.hpp"

namespace quarq::test {
namespace {

using processes::shared_ring;
using ring_end = shared_ring::end;

// An operation has some hundred instructions, with a sanitizer many thousand, and a step takes long on some
// machines: each run of this test takes others of them. With QUARQ_EVERY_INSTRUCTION in the environment it
// takes all.
long step_of(long instructions) {
  if (std::getenv("QUARQ_EVERY_INSTRUCTION")) return 1;
  constexpr long max_rounds = 60, min_rounds = 10, steps = 100'000;
  // A round has half of the steps, on average.
  const long rounds = std::clamp(2 * steps / instructions, min_rounds, max_rounds);
  return std::max(1L, instructions / rounds);
}

processes::wait_limit in_time() {
  return {forked::clock::now() + default_timeout, {}};
}

/// A child that has stopped just before it does `what`.
class stepped {
 public:
  explicit stepped(std::function<void()> what)
      : child_([what = std::move(what)] {
          if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) return 9;
          raise(SIGSTOP);
          what();
          raise(SIGKILL);
          return 0;
        }) {
    int status = 0;
    waitpid(child_.pid(), &status, 0);
    traced_ = WIFSTOPPED(status);
  }

  /// False if this system lets nobody trace.
  bool traced() const noexcept { return traced_; }
  /// Lets it run `max` instructions and kills it. Returns how many there were to its end, if those were
  /// fewer.
  std::optional<long> run(long max) {
    for (long i = 0; i < max; ++i) {
      int status = 0;
      if (ptrace(PTRACE_SINGLESTEP, child_.pid(), nullptr, nullptr) != 0) return i;
      waitpid(child_.pid(), &status, 0);
      if (!WIFSTOPPED(status)) return i;
    }
    child_.kill();
    return std::nullopt;
  }

 private:
  forked child_;
  bool traced_ = false;
};

/// One round: the ring and the process that sleeps on it, the operation that is killed, and what must hold
/// then.
class round {
 public:
  round(std::uint64_t items, std::uint64_t bytes) : ring(items, bytes) {}
  virtual ~round() = default;
  virtual void prepare() {}
  virtual void operation() = 0;
  virtual void check() = 0;

  shared_ring ring;
};

/// Steps go back and forth between two processes, which is quicker on one processor.
class one_processor {
 public:
  one_processor() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~one_processor() { sched_setaffinity(0, sizeof before_, &before_); }
  one_processor(const one_processor&) = delete;

 private:
  cpu_set_t before_;
};

template <class Round>
void kill_everywhere() {
  const one_processor bound;
  const auto run = [](long instructions) -> std::optional<long> {
    Round one;
    one.prepare();
    stepped victim([&one] { one.operation(); });
    if (!victim.traced()) return -1;
    const auto ended = victim.run(instructions);
    if (!ended) one.check();
    return ended;
  };
  {
    // A function's first call goes through the linker.
    Round once;
    once.operation();
    raise(0);
  }
  const long all = *run(10'000'000);
  if (all < 0) GTEST_SKIP() << "ptrace is not allowed here";
  ASSERT_GT(all, 50);
  const long step = step_of(all);
  for (long after = getpid() % step; after < all; after += step) {
    run(after);
    if (testing::Test::HasFailure()) FAIL() << "killed after " << after << " of " << all << " instructions";
  }
}

struct push_while_a_consumer_sleeps : round {
  push_while_a_consumer_sleeps() : round(4, 100) {}
  void prepare() override {
    consumer.emplace([this] {
      std::string got;
      if (ring.pop(got, {}) != ring_end::done) return 1;
      return got == "victim's" ? 10 : got == "mine" ? 11 : 2;
    });
    ASSERT_TRUE(consumer->sleeps());
  }
  void operation() override { ring.push("victim's", {}); }
  void check() override {
    const bool was_pushed = ring.unfinished() == 1;
    if (!was_pushed) {
      ASSERT_EQ(ring.push("mine", in_time()), ring_end::done);
    }
    EXPECT_EQ(consumer->wait(), was_pushed ? 10 : 11);
  }
  std::optional<forked> consumer;
};

struct pop_while_a_producer_sleeps : round {
  pop_while_a_producer_sleeps() : round(1, 10) {}
  void prepare() override {
    ASSERT_EQ(ring.try_push("first"), ring_end::done);
    producer.emplace([this] { return ring.push("second", {}) == ring_end::done ? 10 : 1; });
    ASSERT_TRUE(producer->sleeps());
  }
  void operation() override {
    std::string got;
    ring.pop(got, {forked::clock::now(), {}});
  }
  void check() override {
    std::string got;
    ASSERT_EQ(ring.pop(got, in_time()), ring_end::done);
    if (got == "first") {
      ASSERT_EQ(ring.pop(got, in_time()), ring_end::done);
    }
    EXPECT_EQ(got, "second");
    EXPECT_EQ(producer->wait(), 10);
    EXPECT_EQ(ring.size(), 0);
  }
  std::optional<forked> producer;
};

struct task_done_while_somebody_joins : round {
  task_done_while_somebody_joins() : round(1, 10) {}
  void prepare() override {
    std::string got;
    ring.try_push("x");
    ring.try_pop(got);
    joins.emplace([this] { return ring.join({}) == ring_end::done ? 10 : 1; });
    ASSERT_TRUE(joins->sleeps());
  }
  void operation() override {
    try {
      ring.task_done();
    } catch (const usage_error&) {
      // Nobody has taken anything.
    }
  }
  void check() override {
    if (ring.unfinished() == 1) ring.task_done();
    EXPECT_EQ(joins->wait(), 10);
  }
  std::optional<forked> joins;
};

struct close_while_a_consumer_sleeps : round {
  close_while_a_consumer_sleeps() : round(1, 10) {}
  void prepare() override {
    consumer.emplace([this] {
      std::string got;
      return ring.pop(got, {}) == ring_end::closed ? 10 : 1;
    });
    ASSERT_TRUE(consumer->sleeps());
  }
  void operation() override { ring.close(); }
  void check() override {
    if (!ring.is_closed()) ring.close();
    EXPECT_EQ(consumer->wait(), 10);
  }
  std::optional<forked> consumer;
};

struct close_while_a_producer_sleeps : round {
  close_while_a_producer_sleeps() : round(1, 10) {}
  void prepare() override {
    ASSERT_EQ(ring.try_push("first"), ring_end::done);
    producer.emplace([this] { return ring.push("second", {}) == ring_end::closed ? 10 : 1; });
    ASSERT_TRUE(producer->sleeps());
  }
  void operation() override { ring.close(); }
  void check() override {
    if (!ring.is_closed()) ring.close();
    EXPECT_EQ(producer->wait(), 10);
  }
  std::optional<forked> producer;
};

// Going to sleep, and waking because it was too long.
struct pop_that_waits : round {
  pop_that_waits() : round(4, 100) {}
  void operation() override {
    std::string got;
    ring.pop(got, {forked::clock::now(), {}});
  }
  void check() override {
    std::string got;
    EXPECT_EQ(ring.pop(got, {forked::clock::now(), {}}), ring_end::timed_out);
    EXPECT_EQ(ring.push("x", in_time()), ring_end::done);
    EXPECT_EQ(ring.pop(got, in_time()), ring_end::done);
  }
};

struct push_that_waits : round {
  push_that_waits() : round(1, 10) {}
  void prepare() override { ASSERT_EQ(ring.try_push("first"), ring_end::done); }
  void operation() override { ring.push("second", {forked::clock::now(), {}}); }
  void check() override {
    std::string got;
    EXPECT_EQ(ring.try_push("third"), ring_end::timed_out);
    EXPECT_EQ(ring.try_pop(got), ring_end::done);
    EXPECT_EQ(got, "first");
    EXPECT_EQ(ring.try_push("fourth"), ring_end::done);
    EXPECT_EQ(ring.pop(got, in_time()), ring_end::done);
    EXPECT_EQ(got, "fourth");
  }
};

TEST(joinable_queue_killed_at_every_instruction, push) {
  kill_everywhere<push_while_a_consumer_sleeps>();
}

TEST(joinable_queue_killed_at_every_instruction, pop) {
  kill_everywhere<pop_while_a_producer_sleeps>();
}

TEST(joinable_queue_killed_at_every_instruction, task_done) {
  kill_everywhere<task_done_while_somebody_joins>();
}

TEST(joinable_queue_killed_at_every_instruction, close_with_a_consumer) {
  kill_everywhere<close_while_a_consumer_sleeps>();
}

TEST(joinable_queue_killed_at_every_instruction, close_with_a_producer) {
  kill_everywhere<close_while_a_producer_sleeps>();
}

TEST(joinable_queue_killed_at_every_instruction, pop_falling_asleep) {
  kill_everywhere<pop_that_waits>();
}

TEST(joinable_queue_killed_at_every_instruction, push_falling_asleep) {
  kill_everywhere<push_that_waits>();
}

}  // namespace
}  // namespace quarq::test
