// The watchdog with its real thread. Handlers block the loop until what they wait for has happened.
#include "workers/watchdog.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "async/activity.hpp"
#include "broker/broker.hpp"
#include "model/current_job.hpp"
#include "support/captured_log.hpp"
#include "support/default_timeout.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::watchdog_tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using workers::watchdog;

class watchdog_test : public testing::Test {
 protected:
  using time_point = workers::clock::time_point;

  // A job that the loop could work for.
  struct a_job {
    a_job(std::string id, const asio::any_io_executor& loop)
        : ctx(nullptr, facts(std::move(id))),
          activity(async::activities::of(loop), &current),
          executor(async::with_activity(loop, activity.get())) {}
    static quarq::detail::job_facts facts(std::string id) {
      quarq::detail::job_facts f;
      f.id = std::move(id);
      f.task = "resize";
      return f;
    }
    context ctx;
    model::current_job current{ctx};
    async::owned_activity activity;
    asio::any_io_executor executor;
  };

  void watch(std::chrono::milliseconds blocked_after = 100ms) {
    watch_.emplace(watchdog::params{loop_.get_executor(),
                                    {blocked_after, 1s},
                                    [this]() -> std::optional<workers::renewed_lease> {
                                      ++asked_;
                                      return lease_;
                                    },
                                    [this](const asio::any_io_executor& loop) {
                                      ++opened_;
                                      return broker::open(url(), loop);
                                    },
                                    [this](time_point until) { kept_until_ = until; }});
  }
  std::string url() const { return "sqlite:" + (folder_ / "jobs.db"); }

  // Opens the worker's lease, and leaves it.
  void open_lease(std::string token) {
    const auto work = [&]() -> awaitable<void> {
      const auto loop = co_await asio::this_coro::executor;
      const auto store = broker::open(url(), loop);
      broker::worker_lease held(token, {"default"});
      broker::lease_options terms;
      terms.duration = 1s;
      co_await store->open_lease(held, terms, broker::worker_events());
    };
    run_on_loop(work());
    broker::lease_options terms;
    terms.duration = 1s;
    lease_.emplace(workers::renewed_lease{broker::worker_lease(token, {"default"}), terms});
  }

  // Whether that lease has time left.
  bool is_live(const std::string& token) const {
    bool found = false;
    const auto work = [&]() -> awaitable<void> {
      const auto loop = co_await asio::this_coro::executor;
      const auto store = broker::open(url(), loop);
      const auto live = co_await store->workers("default");
      for (const auto& each : live) found = found || (each.token == token && each.expires_in > 0ms);
    };
    run_on_loop(work());
    return found;
  }

  // Runs the loop until this holds.
  template <class F>
  bool turns_until(F holds) {
    const auto deadline = std::chrono::steady_clock::now() + default_timeout;
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
      loop_.restart();
      loop_.run_for(1ms);
    }
    return holds();
  }
  // Blocks the loop, in a handler on this executor, until this holds; and lets it turn then.
  template <class F>
  void block(const asio::any_io_executor& on, F holds) {
    asio::post(on, [&] { EXPECT_TRUE(eventually(holds, default_timeout)) << log_.text(); });
    loop_.restart();
    loop_.poll();
  }

  captured_log log_;
  temp_dir folder_;
  asio::io_context loop_{1};
  std::optional<workers::renewed_lease> lease_;
  std::atomic<int> asked_ = 0, opened_ = 0;
  std::optional<time_point> kept_until_;
  std::optional<watchdog> watch_;
};

TEST_F(watchdog_test, names_the_job_that_blocks_the_loop) {
  a_job job("01JF", loop_.get_executor());
  watch();
  EXPECT_EQ(watch_->why_silent(1h), "");
  block(job.executor, [&] { return log_.has("the loop has been blocked for "); });
  EXPECT_TRUE(log_.has(" by task=resize id=01JF: ")) << log_.text();
  EXPECT_TRUE(log_.has("level::thread or level::process")) << log_.text();
  EXPECT_TRUE(turns_until([&] { return log_.has("the loop turns again: it had been blocked for "); }));
  EXPECT_EQ(log_.count("the loop has been blocked"), 1u) << log_.text();
  const auto why = watch_->why_silent(1h);
  EXPECT_TRUE(why.starts_with("the loop had been blocked for ")) << why;
  EXPECT_TRUE(why.ends_with(" by task=resize id=01JF")) << why;
  EXPECT_EQ(watch_->why_silent(0ms), "");
}

TEST_F(watchdog_test, says_so_if_it_is_no_job) {
  watch();
  block(loop_.get_executor(), [&] { return log_.has("the loop has been blocked for "); });
  EXPECT_TRUE(log_.has("something that is not a job")) << log_.text();
  EXPECT_TRUE(turns_until([&] { return log_.has("turns again"); }));
}

TEST_F(watchdog_test, names_the_hook_that_blocks_the_loop) {
  watch();
  const watchdog::running_hook running(&*watch_, "on_startup");
  block(loop_.get_executor(), [&] { return log_.has("the loop has been blocked for "); });
  EXPECT_TRUE(log_.has(" by on_startup: ")) << log_.text();
  EXPECT_TRUE(turns_until([&] { return log_.has("turns again"); }));
}

TEST_F(watchdog_test, a_job_is_to_blame_although_a_hook_has_not_ended) {
  a_job job("01JF", loop_.get_executor());
  watch();
  const watchdog::running_hook running(&*watch_, "on_shutdown");
  block(job.executor, [&] { return log_.has("the loop has been blocked for "); });
  EXPECT_TRUE(log_.has(" by task=resize id=01JF: ")) << log_.text();
}

TEST_F(watchdog_test, tells_what_blocks_the_loop_while_it_does) {
  a_job job("01JF", loop_.get_executor());
  watch();
  block(job.executor, [&] { return watch_->why_silent(1h).ends_with("task=resize id=01JF"); });
}

TEST_F(watchdog_test, an_id_can_not_break_out_of_its_line) {
  a_job job("a\nb", loop_.get_executor());
  watch();
  block(job.executor, [&] { return log_.has("blocked"); });
  EXPECT_TRUE(log_.has("id=a\\nb:")) << log_.text();
}

TEST_F(watchdog_test, renews_the_lease_over_a_connection_that_lasts_as_long_as_the_blockage) {
  open_lease("token");
  a_job job("01JF", loop_.get_executor());
  watch();
  EXPECT_TRUE(turns_until([] { return true; }));
  EXPECT_EQ(opened_, 0);
  const auto began = workers::machine_clock::read();
  // Nine renewals take two leases.
  block(job.executor, [&] { return asked_ >= 9; });
  EXPECT_TRUE(is_live("token")) << log_.text();
  EXPECT_EQ(opened_, 1);
  EXPECT_TRUE(turns_until([&] { return log_.has("turns again"); }));
  ASSERT_TRUE(kept_until_);
  EXPECT_GT(*kept_until_, began + 1s);
}

TEST_F(watchdog_test, gives_up_when_the_job_must_have_ended) {
  open_lease("token");
  a_job job("01JF", loop_.get_executor());
  job.current.must_end_by = workers::machine_clock::read();
  watch();
  block(job.executor, [&] { return log_.has("the lease is not renewed any more"); });
  EXPECT_TRUE(log_.has("as task=resize id=01JF has blocked the loop for ")) << log_.text();
}

TEST_F(watchdog_test, has_nothing_to_renew_where_no_lease_is_held) {
  watch();
  block(loop_.get_executor(), [&] { return asked_ > 1; });
  EXPECT_EQ(opened_, 0);
}

TEST_F(watchdog_test, says_that_it_can_not_renew_once) {
  open_lease("token");
  lease_->held.queues = {""};
  watch();
  block(loop_.get_executor(), [&] { return asked_ > 3; });
  EXPECT_LE(log_.count("could not renew the lease while the loop is blocked"), 1u) << log_.text();
}

TEST_F(watchdog_test, may_end_while_the_loop_is_blocked_and_after_the_loop) {
  open_lease("token");
  a_job job("01JF", loop_.get_executor());
  watch();
  asio::post(job.executor, [&] {
    EXPECT_TRUE(eventually([&] { return opened_ > 0; }, default_timeout));
    watch_.reset();
  });
  loop_.restart();
  loop_.poll();

  std::optional<watchdog> other;
  {
    asio::io_context gone;
    other.emplace(
        watchdog::params{gone.get_executor(), {}, [] { return std::nullopt; }, {}, [](time_point) {}});
  }
}

}  // namespace
}  // namespace quarq::test::watchdog_tests
