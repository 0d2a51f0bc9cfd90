// Jobs that wait for other jobs: their slots, and those that run alone.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <quarq/gather.hpp>

#include "clients/queue_impl.hpp"
#include "unit/workers/job_runner_test.hpp"

namespace quarq::test::job_runner_waits_tests {
namespace {

class job_runner_waits : public job_runner_test {
 protected:
  job_runner_waits() {
    for (const auto* q : {&own_, &other_}) (*q)->use(borrowed_, loop_.executor());
    handle([this](context& ctx) -> awaitable<void> {
      begun_.push_back(ctx.id());
      if (ctx.id().starts_with("parent")) return wait_for("child");
      if (ctx.id().starts_with("both")) return wait_for_both();
      if (ctx.id().starts_with("far")) return wait_at(other_, "child");
      return end_of_work_.wait();
    });
  }
  void TearDown() override {
    for (const char* id : {"child", "second"}) end(id);
    job_runner_test::TearDown();
    own_->close();
    other_->close();
  }

  using queue_ptr = std::shared_ptr<clients::queue_impl>;
  static awaitable<void> wait_at(queue_ptr queue, std::string id) {
    const auto loop = co_await boost::asio::this_coro::executor;
    co_await queue->wait_ended(loop, std::move(id));
  }
  awaitable<void> wait_for(std::string id) { return wait_at(own_, std::move(id)); }
  awaitable<void> wait_for_both() {
    std::vector<awaitable<void>> both;
    both.push_back(wait_for("child"));
    both.push_back(wait_for("second"));
    co_await gather(std::move(both));
  }

  /// Puts a job into the queue, where nobody has claimed it.
  void put(const std::string& id) {
    for (const char* queue : {"default", "other"}) broker_.put(queue, queued(id, model::encode(record_of())));
  }
  /// Ends it before anybody has claimed it.
  void end(const std::string& id) {
    for (const char* queue : {"default", "other"}) start(cancel(queue, id));
  }
  awaitable<void> cancel(std::string queue, std::string id) {
    co_await borrowed_->cancel(std::move(queue), std::move(id), "", 1h);
  }
  void run_lost(std::string id, int losses) {
    auto job = queued(std::move(id), model::encode(record_of()));
    job.losses = losses;
    run(std::move(job));
  }

  const std::shared_ptr<broker::broker> borrowed_{std::shared_ptr<void>(), &broker_};
  const queue_ptr own_ = std::make_shared<clients::queue_impl>("sqlite::memory:", "default");
  const queue_ptr other_ = std::make_shared<clients::queue_impl>("sqlite::memory:", "other");
  strings begun_;
};

TEST_F(job_runner_waits, a_job_that_waits_lends_its_slot_and_takes_it_back) {
  put("child");
  run("parent");
  EXPECT_EQ(slots_.room(), 10u);
  EXPECT_EQ(runner_.waiting_count(), 1u);
  EXPECT_EQ(ended_, 1) << "the fetcher is told that there is a slot";
  end("child");
  EXPECT_EQ(job("parent").state, job_state::succeeded);
  EXPECT_EQ(slots_.room(), 10u);
  EXPECT_EQ(runner_.waiting_count(), 0u);
}

TEST_F(job_runner_waits, a_job_has_its_slot_again_when_it_goes_on) {
  put("child");
  handle([this](context&) -> awaitable<void> {
    co_await wait_for("child");
    co_await end_of_work_.wait();
  });
  run("parent");
  EXPECT_EQ(slots_.room(), 10u);
  end("child");
  EXPECT_EQ(slots_.room(), 9u);
  end_work();
  EXPECT_EQ(slots_.room(), 10u);
}

TEST_F(job_runner_waits, several_waits_at_once_lend_one_slot_until_the_last_has_ended) {
  put("child");
  put("second");
  run("both");
  run("beside");
  EXPECT_EQ(slots_.room(), 9u);
  const auto waits = runner_.first_waiting(5);
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_EQ(waits.front().id, "both");
  EXPECT_EQ(waits.front().awaited, "child");
  EXPECT_EQ(waits.front().more, 1u);
  end("child");
  EXPECT_EQ(slots_.room(), 9u);
  EXPECT_EQ(job("both").state, job_state::running);
  end("second");
  EXPECT_EQ(job("both").state, job_state::succeeded);
  EXPECT_EQ(slots_.room(), 9u);
}

TEST_F(job_runner_waits, a_job_that_is_cancelled_or_runs_out_of_time_while_it_waits_frees_nothing_twice) {
  put("child");
  auto short_one = record_of();
  short_one.timeout = 1s;
  run("parent 1");
  run("parent 2", short_one);
  run("beside");
  EXPECT_EQ(slots_.room(), 9u);
  runner_.cancel_requested(lease(), "parent 1");
  loop_.run_ready();
  EXPECT_EQ(job("parent 1").state, job_state::cancelled);
  EXPECT_EQ(slots_.room(), 9u);
  pass(1s);
  EXPECT_TRUE(is_final(job("parent 2").state) || job("parent 2").state == job_state::deferred);
  EXPECT_EQ(slots_.room(), 9u);
  EXPECT_EQ(runner_.waiting_count(), 0u);
}

TEST_F(job_runner_waits, a_job_that_waits_for_one_of_another_workers_queue_keeps_its_slot) {
  put("child");
  run("far");
  EXPECT_EQ(slots_.room(), 9u);
  EXPECT_EQ(runner_.waiting_count(), 0u);
  ASSERT_EQ(runner_.first_waiting(5).size(), 1u) << "but what it waits for is told";
  end("child");
  EXPECT_EQ(slots_.room(), 10u);
}

TEST_F(job_runner_waits, a_coroutine_that_a_job_left_behind_does_not_lend_what_others_have) {
  put("child");
  handle([this](context&) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    boost::asio::co_spawn(loop, wait_for("child"), boost::asio::detached);
    co_await boost::asio::post(loop, boost::asio::use_awaitable);
  });
  run("parent");
  EXPECT_EQ(job("parent").state, job_state::succeeded);
  EXPECT_EQ(slots_.room(), 10u);
  run("beside");
  end("child");
  EXPECT_EQ(runner_.waiting_count(), 0u);
}

TEST_F(job_runner_waits, while_a_job_that_runs_alone_waits_others_run) {
  put("child");
  run_lost("parent", 2);
  EXPECT_FALSE(slots_.is_closed());
  run("beside");
  EXPECT_EQ(begun_, (strings{"parent", "beside"}));
  end("child");
  EXPECT_EQ(job("parent").state, job_state::succeeded);
  EXPECT_FALSE(slots_.is_closed());
}

TEST_F(job_runner_waits, a_suspect_runs_beside_the_jobs_that_wait_for_it) {
  put("child");
  run("parent 1");
  run("parent 2");
  EXPECT_EQ(slots_.room(), 10u);
  run_lost("child", 2);
  EXPECT_EQ(begun_, (strings{"parent 1", "parent 2", "child"}));
}

TEST_F(job_runner_waits, a_suspect_waits_for_those_that_wait_for_other_jobs) {
  put("child");
  run("parent");
  run_lost("another", 2);
  EXPECT_EQ(begun_, strings{"parent"});
  end("child");
  EXPECT_EQ(begun_, (strings{"parent", "another"}));
}

TEST_F(job_runner_waits, a_suspect_runs_while_another_suspect_waits_for_it) {
  put("child");
  run_lost("parent", 2);
  run_lost("child", 2);
  EXPECT_EQ(begun_, (strings{"parent", "child"}));
  EXPECT_TRUE(slots_.is_closed());
  end_work();
  EXPECT_FALSE(slots_.is_closed());
}

}  // namespace
}  // namespace quarq::test::job_runner_waits_tests
