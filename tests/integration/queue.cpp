// What a client sees: options of a call, many at once, ids, results, and the loop that a queue belongs to.
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include "broker/broker.hpp"
#include "integration/worker_test.hpp"
#include "support/errors.hpp"

namespace quarq::test::queue_tests {
namespace {

constexpr task<int(int)> same{"same", "number"};
constexpr task<void(int)> nothing{"nothing"};

class queue_test : public worker_test {
 protected:
  queue_test() : w_(options()) {
    w_.handle(same, [](int n) -> awaitable<int> { co_return n; });
    w_.handle(nothing, [](int) -> awaitable<void> { co_return; });
  }

  void expect_refused(call<int> c, const std::string& why) {
    without_worker([&](queue q) -> awaitable<void> {
      const auto error = co_await error_of(q.enqueue(std::move(c)));
      EXPECT_NE(error.as<usage_error>(), nullptr);
      EXPECT_EQ(error.what, why);
    });
  }

  worker w_;
};

TEST_P(queue_test, many_calls_go_in_one_step_and_their_jobs_come_in_order) {
  serve(w_, [](queue q) -> awaitable<void> {
    std::vector<call<int>> calls;
    for (int i = 0; i < 500; ++i) calls.push_back(same(i));
    const auto jobs = co_await q.enqueue(std::move(calls));
    EXPECT_EQ(jobs.size(), 500u);
    for (int i = 0; i < 500; i += 99) {
      const int result = co_await jobs[i]->result(default_timeout);
      EXPECT_EQ(result, i);
    }
    std::vector<call<int>> none;
    const auto no_jobs = co_await q.enqueue(std::move(none));
    EXPECT_TRUE(no_jobs.empty());
  });
}

TEST_P(queue_test, a_taken_id_is_refused_while_its_job_lives_and_while_its_result_is_kept) {
  serve(w_, [](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(same(1).id("page").delay(20ms));
    EXPECT_EQ(job.id(), "page");
    const auto living = co_await error_of(q.enqueue(same(2).id("page")));
    const auto* duplicate = living.as<duplicate_job>();
    EXPECT_NE(duplicate, nullptr) << living.what;
    EXPECT_EQ(duplicate != nullptr ? duplicate->id() : "", "page");
    const int one = co_await job.result(default_timeout);
    EXPECT_EQ(one, 1);
    const auto kept = co_await error_of(q.enqueue(same(3).id("page")));
    EXPECT_NE(kept.as<duplicate_job>(), nullptr) << kept.what;
  });
}

TEST_P(queue_test, an_id_is_free_again_when_nothing_is_kept_of_its_job) {
  serve(w_, [](queue q) -> awaitable<void> {
    // It may have ended before it is waited for.
    const auto first = co_await q.enqueue(nothing(1).id("again").keep_result(0ms));
    co_await error_of(first.result(default_timeout));
    const auto second = co_await q.enqueue(nothing(2).id("again"));
    co_await error_of(second.result(default_timeout));
  });
  EXPECT_EQ(w_.jobs_done(), 2u);
}

TEST_P(queue_test, a_job_without_a_value_that_was_purged_has_not_succeeded) {
  without_worker([&](queue q) -> awaitable<void> {
    const auto job = co_await q.enqueue(nothing(1));
    const auto loop = co_await boost::asio::this_coro::executor;
    const auto store = broker::open(q.broker_url(), loop);
    co_await store->purge(q.name(), job_state::queued);
    const auto result = co_await error_of(job.result(default_timeout));
    EXPECT_NE(result.as<job_not_found>(), nullptr) << result.what;
    const auto state = co_await error_of(job.state());
    EXPECT_NE(state.as<job_not_found>(), nullptr) << state.what;
  });
}

TEST_P(queue_test, of_many_calls_only_those_with_taken_ids_are_refused) {
  serve(w_, [](queue q) -> awaitable<void> {
    std::vector<call<int>> calls;
    calls.push_back(same(1).id("a"));
    calls.push_back(same(2).id("b"));
    calls.push_back(same(3).id("a"));
    const auto jobs = co_await q.enqueue(std::move(calls));
    EXPECT_TRUE(jobs[0] && jobs[1]);
    EXPECT_FALSE(jobs[2]);
    const int one = co_await jobs[0]->result(default_timeout);
    EXPECT_EQ(one, 1);
  });
}

TEST_P(queue_test, many_jobs_are_cancelled_in_one_call) {
  without_worker([](queue q) -> awaitable<void> {
    std::vector<call<int>> calls;
    for (int i = 0; i < 500; ++i) calls.push_back(same(i));
    const auto sent = co_await q.enqueue(std::move(calls));
    std::vector<job<int>> jobs;
    for (const auto& one : sent) jobs.push_back(*one);
    const auto outcomes = co_await q.cancel(jobs);
    EXPECT_EQ(outcomes, std::vector<cancel_outcome>(500, cancel_outcome::cancelled));
    strings ids;
    ids.push_back(jobs[3].id());
    ids.push_back("nobody");
    const auto again = co_await q.cancel(std::move(ids));
    const std::vector<cancel_outcome> expected{cancel_outcome::too_late, cancel_outcome::not_found};
    EXPECT_EQ(again, expected);
    strings none;
    const auto nothing_done = co_await q.cancel(std::move(none));
    EXPECT_TRUE(nothing_done.empty());
  });
}

TEST_P(queue_test, a_result_is_kept_as_long_as_the_call_says) {
  serve(w_, [](queue q) -> awaitable<void> {
    const auto kept = co_await q.enqueue(same(1).keep_result(forever));
    const auto brief = co_await q.enqueue(same(2).keep_result(1ms));
    const auto not_kept = co_await q.enqueue(same(3).keep_result(0ms));
    const int one = co_await kept.result(default_timeout);
    EXPECT_EQ(one, 1);
    // A waiter gets the result, kept or not; later it is gone.
    bool gone = false;
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (!gone && std::chrono::steady_clock::now() < deadline) {
      const auto a = co_await error_of(brief.result(1s));
      const auto b = co_await error_of(not_kept.result(1s));
      gone = a.as<job_not_found>() != nullptr && b.as<job_not_found>() != nullptr;
    }
    EXPECT_TRUE(gone);
    const int again = co_await kept.result(default_timeout);
    EXPECT_EQ(again, 1);
  });
}

TEST_P(queue_test, what_is_known_of_a_job_follows_its_life) {
  without_worker([&](queue q) -> awaitable<void> {
    auto call = same(4).expires(1h);
    const int priority = powers().priorities ? 7 : 5;
    call.priority(priority);
    const auto job = co_await q.enqueue(call);
    const auto queued = co_await job.info();
    EXPECT_EQ(queued.state, job_state::queued);
    EXPECT_EQ(queued.task, "same");
    EXPECT_EQ(queued.queue, "default");
    EXPECT_EQ(queued.arguments, "[4]");
    EXPECT_EQ(queued.priority, priority);
    EXPECT_EQ(queued.attempts, 0);
    EXPECT_TRUE(queued.enqueued_at && queued.expires_at);
    const auto deferred = co_await q.enqueue(same(5).delay(1h));
    const auto waiting = co_await deferred.info();
    EXPECT_EQ(waiting.state, job_state::deferred);
    EXPECT_TRUE(waiting.due_at && *waiting.due_at - *waiting.enqueued_at == 1h);
    w_.options().max_jobs = 1;
    co_await w_.run();
    const auto done = co_await job.info();
    EXPECT_EQ(done.state, job_state::succeeded);
    EXPECT_EQ(done.result, "4");
    EXPECT_EQ(done.attempts, 1);
    EXPECT_TRUE(done.started_at && done.finished_at);
    EXPECT_FALSE(done.worker.empty());
  });
}

TEST_P(queue_test, a_job_that_is_not_there_is_said_to_be_so) {
  without_worker([](queue q) -> awaitable<void> {
    const auto job = q.find<int>("no such job");
    const auto result = co_await error_of(job.result(default_timeout));
    EXPECT_NE(result.as<job_not_found>(), nullptr) << result.what;
    const auto state = co_await error_of(job.state());
    EXPECT_NE(state.as<job_not_found>(), nullptr) << state.what;
    const auto info = co_await error_of(job.info());
    EXPECT_NE(info.as<job_not_found>(), nullptr) << info.what;
    const auto cancel = co_await job.cancel();
    EXPECT_EQ(cancel, cancel_outcome::not_found);
  });
}

TEST_P(queue_test, queues_do_not_mix) {
  serve(w_, [this](queue q) -> awaitable<void> {
    const queue other(url(), "other");
    const auto there = co_await other.enqueue(same(1).id("x"));
    const std::string id = powers().an_id_in_each_queue ? "x" : "y";
    const auto here = co_await q.enqueue(same(2).id(id));
    const int two = co_await here.result(default_timeout);
    EXPECT_EQ(two, 2);
    const auto state = co_await there.state();
    EXPECT_EQ(state, job_state::queued);
  });
}

TEST_P(queue_test, options_out_of_range_are_refused_with_the_range) {
  expect_refused(same(1).id(""), "same: option id: expected 1 to 255 bytes, got 0");
  expect_refused(same(1).id(std::string(256, 'x')), "same: option id: expected 1 to 255 bytes, got 256");
  expect_refused(same(1).priority(10), "same: option priority: expected 0 to 9, got 10");
  expect_refused(same(1).attempts(0), "same: option attempts: expected 1 to 1000000, got 0");
  expect_refused(same(1).delay(-1ms), "same: option delay: expected 0 to 3153600000000 ms, got -1");
  expect_refused(same(1).timeout(0ms), "same: option timeout: expected 1 to 3153600000000 ms, got 0");
  expect_refused(same(1).expires(0ms), "same: option expires: expected 1 to 3153600000000 ms, got 0");
  expect_refused(same(1).keep_result(-1ms),
                 "same: option keep_result: expected 0 to 3153600000000 ms, got -1");
  expect_refused(same(1).backoff(backoff::constant(-1ms)),
                 "same: option backoff (first pause): expected 0 to 3153600000000 ms, got -1");
}

TEST_P(queue_test, names_and_brokers_that_make_no_sense_are_refused_at_once) {
  EXPECT_THROW(queue(url(), ""), usage_error);
  EXPECT_THROW(queue(url(), "two words"), usage_error);
  EXPECT_THROW(queue(url(), "{braces}"), usage_error);
  EXPECT_THROW(queue(url(), std::string(101, 'q')), usage_error);
  EXPECT_THROW(queue("http://example.org"), usage_error);
  EXPECT_THROW(queue(""), usage_error);
}

awaitable<std::string> send_one(queue q) {
  const auto job = co_await q.enqueue(same(1));
  co_return job.id();
}

awaitable<job_state> status_of(queue q, std::string id) {
  const auto job = q.find<int>(std::move(id));
  const auto state = co_await job.state();
  co_return state;
}

/// Uses the queue on a loop, which then does not run but still exists.
void use_on(boost::asio::io_context& loop, const queue& q) {
  boost::asio::co_spawn(loop, send_one(q), [&](std::exception_ptr e, std::string) {
    EXPECT_FALSE(e);
    loop.stop();
  });
  loop.run();
}

TEST_P(queue_test, serves_one_run_after_another) {
  boost::asio::io_context other_loop;
  const queue keeps_what_is_in_memory(url());
  use_on(other_loop, keeps_what_is_in_memory);
  const queue q(url());
  const auto id = quarq::run(send_one(q));
  EXPECT_EQ(quarq::run(status_of(q, id)), job_state::queued);
}

TEST_P(queue_test, refuses_a_second_loop_while_the_first_is_there) {
  boost::asio::io_context first;
  const queue q(url());
  use_on(first, q);
  const auto why = error_of<std::logic_error>([&] { quarq::run(send_one(q)); });
  EXPECT_EQ(why, "a quarq::queue belongs to the loop that first used it: give each loop a queue of its own");
}

AT_EACH_BROKER(queue_test);

}  // namespace
}  // namespace quarq::test::queue_tests
