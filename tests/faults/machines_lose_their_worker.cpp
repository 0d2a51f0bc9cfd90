// A worker dies without a word (SIGKILL) while somebody awaits the answer of a job that it runs.
#include <quarq/machines.hpp>

#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

class machines_lose_their_worker : public fault_test {
 protected:
  /// Returns when the job has been started `n` times.
  awaitable<void> started(std::string id, std::size_t n) {
    while (past().runs_of(id).size() < n) co_await sleep_for(5ms);
  }
};

TEST_P(machines_lose_their_worker, and_are_answered_by_another_within_the_deadline) {
  auto& first = start_worker(lease(1));
  const auto ask = [this](queue q) -> awaitable<std::string> {
    const machines where(q, machines_options{soon});
    auto answer = co_await where.run(wait_for_gate(gate()).id("call"));
    co_return answer;
  };
  const auto kill_it = [&]() -> awaitable<std::string> {
    co_await started("call", 1);
    kill(first);
    auto& second = start_worker(lease(1));
    co_await started("call", 2);
    open_gate();
    co_return std::to_string(second.pid()) + " try 1";
  };
  const auto [answer, expected] = with_queue([&](queue q) { return gather(ask(q), kill_it()); });
  EXPECT_EQ(answer, expected);
}

TEST_P(machines_lose_their_worker, and_time_out_where_there_is_no_other) {
  auto& only = start_worker(lease(1));
  const auto ask = [this](queue q) -> awaitable<bool> {
    const machines where(q, machines_options{3s});
    try {
      co_await where.run(wait_for_gate(gate()).id("call"));
    } catch (const timed_out&) {
      co_return true;
    }
    co_return false;
  };
  const auto kill_it = [&]() -> awaitable<void> {
    co_await started("call", 1);
    kill(only);
  };
  const auto [has_timed_out, nothing] = with_queue([&](queue q) { return gather(ask(q), kill_it()); });
  EXPECT_TRUE(has_timed_out);
  // The cancellation was left with the broker: the next worker ends the job, and does not run it.
  start_worker(lease(1));
  wait_for_state("call", job_state::cancelled);
  EXPECT_EQ(past().runs_of("call").size(), 1u);
}

ON_EACH_BROKER(machines_lose_their_worker);

}  // namespace
}  // namespace quarq::test
