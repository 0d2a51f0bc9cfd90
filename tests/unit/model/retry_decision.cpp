// What becomes of a job after a try.
#include "model/retry_decision.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::model {
namespace {

using namespace std::chrono_literals;
using what = attempt::what;

struct decision {
  std::string name;
  what came;
  stop_reason stopped;
  int attempts;  ///< this one included
  int max;       ///< allowed
  job_state then;
};

const std::vector<decision> decisions = {
    {"what returned has succeeded", what::returned, stop_reason::none, 1, 1, job_state::succeeded},
    {"also at its last try", what::returned, stop_reason::none, 5, 5, job_state::succeeded},
    {"also if it was cancelled meanwhile", what::returned, stop_reason::cancelled, 1, 5,
     job_state::succeeded},
    {"also if its time ran out meanwhile", what::returned, stop_reason::timed_out, 1, 5,
     job_state::succeeded},
    {"also if the worker stops", what::returned, stop_reason::shutdown, 1, 5, job_state::succeeded},

    {"what threw is tried again", what::threw, stop_reason::none, 1, 5, job_state::deferred},
    {"until its last try", what::threw, stop_reason::none, 4, 5, job_state::deferred},
    {"and is dead after it", what::threw, stop_reason::none, 5, 5, job_state::dead},
    {"and beyond it", what::threw, stop_reason::none, 7, 5, job_state::dead},
    {"with one try the exception is the answer", what::threw, stop_reason::none, 1, 1, job_state::failed},
    {"also after a requeue or a lost worker", what::threw, stop_reason::none, 2, 1, job_state::failed},

    {"out of time is tried again", what::threw, stop_reason::timed_out, 1, 2, job_state::deferred},
    {"out of time at the last try", what::threw, stop_reason::timed_out, 2, 2, job_state::dead},
    {"out of time with one try", what::threw, stop_reason::timed_out, 1, 1, job_state::failed},

    {"cancelled", what::threw, stop_reason::cancelled, 1, 5, job_state::cancelled},
    {"cancelled at the last try", what::threw, stop_reason::cancelled, 5, 5, job_state::cancelled},
    {"a worker's stop hands back", what::threw, stop_reason::shutdown, 1, 5, job_state::queued},
    {"a worker's stop hands back at the last try", what::threw, stop_reason::shutdown, 5, 5,
     job_state::queued},

    {"a payload that can't be decoded is dead at once", what::impossible, stop_reason::none, 1, 5,
     job_state::dead},
    {"also with one try", what::impossible, stop_reason::none, 1, 1, job_state::dead},
    {"lost with its workers", what::exhausted, stop_reason::none, 6, 5, job_state::dead},
    {"no use trying again", what::permanent, stop_reason::none, 1, 5, job_state::failed},
    {"expired", what::expired, stop_reason::none, 1, 5, job_state::expired},
    {"an unknown task may be known elsewhere", what::unknown_task, stop_reason::none, 1, 5,
     job_state::deferred},
    {"an unknown task at the last try", what::unknown_task, stop_reason::none, 5, 5, job_state::dead},
    {"an unknown task is no answer", what::unknown_task, stop_reason::none, 1, 1, job_state::dead},
};

TEST(decide, each_end_of_a_try_leads_to_its_state) {
  for (const auto& d : decisions) {
    attempt a;
    a.came = d.came;
    a.stopped = d.stopped;
    const auto v = decide(a, retry_policy().attempts(d.max), d.attempts, 0.5);
    EXPECT_EQ(v.state, d.then) << d.name << ": " << to_string(v.state);
    EXPECT_TRUE(may_change(job_state::running, v.state)) << d.name;
  }
}

TEST(decide, the_pause_follows_the_policy_and_only_a_retry_has_one) {
  const auto policy = backoff::exponential(100ms, 10s).attempts(5).jitter(0);
  attempt threw;
  threw.came = what::threw;
  EXPECT_EQ(decide(threw, policy, 1, 0.5).pause, 100ms);
  EXPECT_EQ(decide(threw, policy, 3, 0.5).pause, 400ms);
  EXPECT_EQ(decide(threw, policy, 5, 0.5).pause, 0ms);
}

TEST(decide, a_handler_that_asks_for_another_try_says_when) {
  attempt asked;
  asked.came = what::threw;
  asked.pause = 3s;
  const auto policy = backoff::constant(100ms).jitter(0);
  EXPECT_EQ(decide(asked, policy.attempts(2), 1, 0.5).pause, 3s);
  EXPECT_EQ(decide(asked, policy.attempts(2), 1, 0.5).state, job_state::deferred);
  EXPECT_EQ(decide(asked, policy.attempts(2), 2, 0.5).state, job_state::dead);
  EXPECT_EQ(decide(asked, policy.attempts(1), 1, 0.5).state, job_state::dead) << "it is no answer";
  asked.stopped = stop_reason::cancelled;
  EXPECT_EQ(decide(asked, policy.attempts(2), 1, 0.5).state, job_state::cancelled);
}

struct pause {
  retry_policy policy;
  int n;
  double random;
  milliseconds expected;
};

TEST(retry_policy, pauses_grow_as_the_policy_says_and_are_spread_by_its_jitter) {
  const auto doubling = backoff::exponential(1s, 5min).jitter(0);
  const auto spread = backoff::constant(1s).jitter(0.25);
  const std::vector<pause> pauses = {
      {doubling, 1, 0.9, 1s},
      {doubling, 2, 0.9, 2s},
      {doubling, 9, 0.9, 256s},
      {doubling, 10, 0.9, 5min},
      {doubling, 1'000'000, 0, 5min},
      {doubling, 0, 0, 1s},
      {doubling, -3, 0, 1s},
      {backoff::constant(7s).jitter(0), 40, 0, 7s},
      {spread, 1, 0, 750ms},
      {spread, 1, 0.5, 1s},
      {spread, 1, 1, 1250ms},
      {backoff::constant(1s).jitter(1), 1, 0, 0ms},
      {backoff::constant(0ms), 3, 0.7, 0ms},
  };
  for (const auto& p : pauses) {
    EXPECT_EQ(p.policy.pause_after(p.n, p.random), p.expected)
        << "after try " << p.n << " with first " << p.policy.first().count() << " and random " << p.random;
  }
}

TEST(retry_policy, out_of_range_numbers_give_a_pause_all_the_same) {
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  const std::vector<retry_policy> odd = {
      retry_policy(milliseconds::max(), milliseconds::max(), 2),
      retry_policy(1s, milliseconds::max(), 1e300),
      retry_policy(0ms, 5min, 1e300),
      retry_policy(1s, 5min, std::nan("")),
      retry_policy(1s, 5min, -infinite),
      retry_policy(1s, 5min, infinite),
      retry_policy(-1s, -5min, 2),
      retry_policy(1s, 5min, 2).jitter(std::nan("")),
  };
  for (const auto& p : odd) {
    for (const int n : {1, 2, 3, 1'000}) {
      const auto got = p.pause_after(n, 1);
      EXPECT_GE(got, 0ms) << "factor " << p.factor() << ", try " << n;
      EXPECT_LE(got, max_time) << "factor " << p.factor() << ", try " << n;
    }
  }
}

TEST(retry_policy, has_at_least_one_try) {
  EXPECT_EQ(retry_policy().max_attempts(), 5);
  EXPECT_EQ(retry_policy().attempts(0).max_attempts(), 1);
  EXPECT_EQ(retry_policy().attempts(-1).max_attempts(), 1);
  EXPECT_EQ(backoff::none().max_attempts(), 1);
}

TEST(terms_for, without_wishes_the_handler_decides) {
  handler_options options;
  options.timeout = 7s;
  options.retry = backoff::constant(2s).attempts(3);
  const auto t = terms_for(record{}, options, false);
  EXPECT_EQ(t.timeout, 7s);
  EXPECT_EQ(t.retry, options.retry);
}

TEST(terms_for, the_call_decides_over_the_handler) {
  handler_options options;
  options.timeout = 7s;
  options.retry = backoff::constant(2s).attempts(3);
  record r;
  r.timeout = 9s;
  EXPECT_EQ(terms_for(r, options, false).timeout, 9s);
  r.attempts = 8;
  EXPECT_EQ(terms_for(r, options, false).retry, backoff::constant(2s).attempts(8));
  r.backoff = backoff::constant(4s).attempts(99);
  EXPECT_EQ(terms_for(r, options, false).retry, backoff::constant(4s).attempts(8));
  r.attempts.reset();
  EXPECT_EQ(terms_for(r, options, false).retry, backoff::constant(4s).attempts(3))
      << "the tries are the handler's";
}

struct keeping {
  std::string name;
  std::optional<milliseconds> call, handler;
  bool returns_nothing;
  milliseconds success, failure;
};

TEST(terms_for, results_are_kept_as_asked_and_failures_for_an_hour_at_least) {
  const std::vector<keeping> rows = {
      {"a value, an hour", {}, {}, false, 1h, 1h},
      {"nothing, not at all", {}, {}, true, 0ms, 1h},
      {"the handler's wish", {}, 5min, false, 5min, 1h},
      {"the handler's wish for nothing", {}, 5min, true, 5min, 1h},
      {"longer than an hour", {}, 24h, false, 24h, 24h},
      {"the call's wish over the handler's", 2h, 5min, false, 2h, 2h},
      {"the call wants none", 0ms, 24h, false, 0ms, 1h},
      {"for ever", forever, {}, true, forever, forever},
  };
  for (const auto& row : rows) {
    record r;
    r.keep_result = row.call;
    handler_options options;
    options.keep_result = row.handler;
    const auto t = terms_for(r, options, row.returns_nothing);
    EXPECT_EQ(t.keep_success, row.success) << row.name;
    EXPECT_EQ(t.keep_failure, row.failure) << row.name;
  }
}

}  // namespace
}  // namespace quarq::model
