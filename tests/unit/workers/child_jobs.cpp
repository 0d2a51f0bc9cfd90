// Jobs that are cancelled with the one that enqueued them, at moments that are hard to meet.
#include <boost/asio/this_coro.hpp>

#include <quarq/detail/context_access.hpp>
#include <quarq/queue.hpp>

#include "clients/worker_connection.hpp"
#include "unit/workers/job_runner_test.hpp"

namespace quarq::test::child_jobs_tests {
namespace {

class child_jobs : public job_runner_test {
 protected:
  child_jobs() {
    model::context_access::set_connection(worker_context_, connection_);
    handle([this](context& ctx) { return enqueue_child_and_wait(ctx); });
  }
  void TearDown() override {
    job_runner_test::TearDown();
    connection_->close();
  }

  awaitable<void> enqueue_child_and_wait(context& ctx) {
    if (is_stubborn_) {
      co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
      co_await until_late_.wait();
    }
    auto c = quarq::call<int>("child", encode_arguments()).id("child");
    co_await ctx.enqueue(std::move(c), {.cancel_with_parent = true});
    if (!is_stubborn_) co_await end_of_work_.wait();
  }
  void cancel_parent() {
    runner_.cancel_requested(lease(), "parent");
    loop_.run_ready();
  }

  const std::shared_ptr<broker::broker> borrowed_{std::shared_ptr<void>(), &broker_};
  const std::shared_ptr<clients::worker_connection> connection_ =
      std::make_shared<clients::worker_connection>("sqlite::memory:", borrowed_, loop_.executor(),
                                                   [this] { ++cancelled_; });
  int cancelled_ = 0;
  bool is_stubborn_ = false;
  event until_late_;
};

TEST_F(child_jobs, one_that_is_on_its_way_when_its_parent_is_cancelled_is_cancelled_when_it_has_arrived) {
  broker_.stall(operation::enqueue);
  run("parent");
  cancel_parent();
  EXPECT_EQ(job("parent").state, job_state::running) << "it waits for the answer";
  broker_.resume(operation::enqueue);
  loop_.run_ready();
  EXPECT_EQ(job("parent").state, job_state::cancelled);
  EXPECT_EQ(job("child").state, job_state::cancelled);
  EXPECT_EQ(cancelled_, 1);
  EXPECT_TRUE(connection_->is_idle());
}

TEST_F(child_jobs, one_that_is_enqueued_after_the_recorded_end_of_its_parent_is_cancelled_at_once) {
  is_stubborn_ = true;
  run("parent");
  cancel_parent();
  pass(setup_.options.cancel_timeout);
  EXPECT_EQ(job("parent").state, job_state::cancelled) << "its handler runs on";
  until_late_.set();
  loop_.run_ready();
  EXPECT_EQ(job("child").state, job_state::cancelled);
}

TEST_F(child_jobs, those_of_a_job_that_another_worker_owns_are_left_alone) {
  run("parent");
  EXPECT_EQ(job("child").state, job_state::queued);
  runner_.lease_lost(lease());
  lease().lease.token = "another";
  loop_.run_ready();
  EXPECT_TRUE(runner_.empty());
  EXPECT_EQ(job("child").state, job_state::queued);
}

TEST_F(child_jobs, those_of_a_job_that_a_worker_leaves_running_at_its_end_are_cancelled) {
  run("parent");
  runner_.abandon();
  loop_.run_ready();
  EXPECT_EQ(job("child").state, job_state::cancelled);
}

}  // namespace
}  // namespace quarq::test::child_jobs_tests
