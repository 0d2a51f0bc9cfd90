// What happens to a job after an attempt.
#include "model/retry_decision.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::model {
namespace {

using namespace std::chrono_literals;
using kind = attempt::result_kind;

struct row {
  std::string name;
  kind result;
  stop_reason stopped;
  int attempts;  ///< this one included
  int max;       ///< allowed
  job_state then;
};

const std::vector<row> rows = {
    {"what returned has succeeded", kind::returned, stop_reason::none, 1, 1, job_state::succeeded},
    {"also at its last attempt", kind::returned, stop_reason::none, 5, 5, job_state::succeeded},
    {"also if it was cancelled meanwhile", kind::returned, stop_reason::cancelled, 1, 5,
     job_state::succeeded},
    {"also if its time ran out meanwhile", kind::returned, stop_reason::timed_out, 1, 5,
     job_state::succeeded},
    {"also if the worker stops", kind::returned, stop_reason::shutdown, 1, 5, job_state::succeeded},

    {"what threw is retried", kind::threw, stop_reason::none, 1, 5, job_state::deferred},
    {"until its last attempt", kind::threw, stop_reason::none, 4, 5, job_state::deferred},
    {"and is dead after it", kind::threw, stop_reason::none, 5, 5, job_state::dead},
    {"and beyond it", kind::threw, stop_reason::none, 7, 5, job_state::dead},
    {"with one attempt the exception is the answer", kind::threw, stop_reason::none, 1, 1, job_state::failed},
    {"also after a requeue or a lost worker", kind::threw, stop_reason::none, 2, 1, job_state::failed},

    {"out of time is retried", kind::threw, stop_reason::timed_out, 1, 2, job_state::deferred},
    {"out of time at the last attempt", kind::threw, stop_reason::timed_out, 2, 2, job_state::dead},
    {"out of time with one attempt", kind::threw, stop_reason::timed_out, 1, 1, job_state::failed},

    {"cancelled", kind::threw, stop_reason::cancelled, 1, 5, job_state::cancelled},
    {"cancelled at the last attempt", kind::threw, stop_reason::cancelled, 5, 5, job_state::cancelled},
    {"a worker's stop hands back", kind::threw, stop_reason::shutdown, 1, 5, job_state::queued},
    {"a worker's stop hands back at the last attempt", kind::threw, stop_reason::shutdown, 5, 5,
     job_state::queued},

    {"a payload that can't be decoded is dead at once", kind::impossible, stop_reason::none, 1, 5,
     job_state::dead},
    {"also with one attempt", kind::impossible, stop_reason::none, 1, 1, job_state::dead},
    {"lost with its workers", kind::exhausted, stop_reason::none, 6, 5, job_state::dead},
    {"a retry would not help", kind::permanent, stop_reason::none, 1, 5, job_state::failed},
    {"expired", kind::expired, stop_reason::none, 1, 5, job_state::expired},
    {"an unknown task is dead", kind::unknown_task, stop_reason::none, 1, 5, job_state::dead},
    {"what did not start and is left to others", kind::threw, stop_reason::returned, 5, 5, job_state::queued},
    {"an unknown task is no answer", kind::unknown_task, stop_reason::none, 1, 1, job_state::dead},
};

TEST(retry_decision, each_end_of_an_attempt_leads_to_its_state) {
  for (const auto& d : rows) {
    attempt a;
    a.result = d.result;
    a.stopped = d.stopped;
    const auto v = decide(a, retry_policy().attempts(d.max), d.attempts, 0.5);
    EXPECT_EQ(v.state, d.then) << d.name << ": " << to_string(v.state);
    EXPECT_TRUE(may_change(job_state::running, v.state)) << d.name;
  }
}

TEST(retry_decision, the_pause_follows_the_policy_and_only_a_retry_has_one) {
  const auto policy = backoff::exponential(100ms, 10s).attempts(5).jitter(0);
  attempt threw;
  threw.result = kind::threw;
  EXPECT_EQ(decide(threw, policy, 1, 0.5).pause, 100ms);
  EXPECT_EQ(decide(threw, policy, 3, 0.5).pause, 400ms);
  EXPECT_EQ(decide(threw, policy, 5, 0.5).pause, 0ms);
}

TEST(retry_decision, a_handler_that_asks_for_another_attempt_says_when) {
  attempt asked;
  asked.result = kind::threw;
  asked.pause = 3s;
  const auto policy = backoff::constant(100ms).jitter(0);
  EXPECT_EQ(decide(asked, policy.attempts(2), 1, 0.5).pause, 3s);
  EXPECT_EQ(decide(asked, policy.attempts(2), 1, 0.5).state, job_state::deferred);
  EXPECT_EQ(decide(asked, policy.attempts(2), 2, 0.5).state, job_state::dead);
  EXPECT_EQ(decide(asked, policy.attempts(1), 1, 0.5).state, job_state::dead) << "it is no answer";
  asked.stopped = stop_reason::cancelled;
  EXPECT_EQ(decide(asked, policy.attempts(2), 1, 0.5).state, job_state::cancelled);
}

TEST(retry_decision, only_when_asked_an_exception_is_final_and_a_request_is_not) {
  const auto policy = retry_policy().attempts(3).only_when_asked();
  attempt threw;
  threw.result = kind::threw;
  EXPECT_EQ(decide(threw, policy, 1, 0.5).state, job_state::failed);
  threw.stopped = stop_reason::timed_out;
  EXPECT_EQ(decide(threw, policy, 1, 0.5).state, job_state::failed);
  threw.stopped = stop_reason::shutdown;
  EXPECT_EQ(decide(threw, policy, 1, 0.5).state, job_state::queued);
  attempt asked;
  asked.result = kind::threw;
  asked.pause = 3s;
  EXPECT_EQ(decide(asked, policy, 1, 0.5).state, job_state::deferred);
  EXPECT_EQ(decide(asked, policy, 3, 0.5).state, job_state::dead);
}

}  // namespace
}  // namespace quarq::model
