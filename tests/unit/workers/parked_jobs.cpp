#include "workers/parked_jobs.hpp"

#include <optional>

#include "unit/workers/role_test.hpp"
#include "workers/fetcher.hpp"
#include "workers/running_job.hpp"

namespace quarq::test::parked_jobs_tests {
namespace {

using workers::parked_jobs;

class parked_jobs_test : public role_test {
 protected:
  parked_jobs_test() {
    hold(lease());
    slots_.set_limit(level::loop, 10);
    start(settler_.run(lease()));
    start(fetcher_.run());
  }
  void TearDown() override {
    roles_.close();
    role_test::TearDown();
    EXPECT_TRUE(roles_.empty());
  }

  void park(parked_jobs& in, const std::string& id, std::string until_ended = "") {
    put_held(id);
    broker::claimed_job claimed;
    claimed.id = id;
    const workers::running_job job(lease(), std::move(claimed), worker_, detail::job_facts(), clock_.now());
    in.park(job, std::move(until_ended));
    loop_.run_ready();
  }
  void park(const std::string& id, std::string until_ended = "") {
    park(parked_, id, std::move(until_ended));
  }
  job_state state_of(const std::string& id) const { return broker_.at("default", id).state; }
  /// Another job, which has not ended.
  void put_other(const std::string& id) {
    auto other = queued(id);
    other.state = job_state::deferred;
    other.due_at = broker_.now() + 24h;
    broker_.put("default", std::move(other));
  }
  /// That job ends.
  void end(const std::string& id) {
    start([](scripted_broker& b, std::string which) -> awaitable<void> {
      co_await b.cancel("default", std::move(which), "", std::nullopt);
    }(broker_, id));
  }

  context worker_{nullptr};
  workers::slot_table slots_{10, 0};
  workers::settler settler_{{broker_, leases_, clock_, loop_.executor(), [] {}}};
  workers::broker_clock broker_time_{clock_, loop_.executor()};
  std::mt19937_64 random_{1};
  strings claimed_;
  workers::fetcher fetcher_{
      {broker_, leases_, slots_, settler_, broker_time_, clock_, loop_.executor(), random_, false,
       [this](workers::queue_lease&, broker::claimed_job job, broker::time_point) {
         claimed_.push_back(job.id);
       },
       [] { return false; }, [] {}, [](const workers::queue_lease&) { return strings(); }}};
  workers::role_group roles_{loop_.executor(), std::weak_ptr<void>(), [] {}};
  parked_jobs parked_{{broker_, settler_, fetcher_, roles_, clock_, false}};
};

TEST_F(parked_jobs_test, one_that_others_know_better_is_handed_back_after_a_while_and_left_to_them) {
  park("a");
  pass(999ms);
  EXPECT_EQ(state_of("a"), job_state::running);
  pass(1ms);
  EXPECT_EQ(state_of("a"), job_state::queued);
  EXPECT_EQ(broker_.at("default", "a").attempts, 0);
  pass(599ms);
  EXPECT_EQ(claimed_, strings{});
  pass(1ms);
  EXPECT_EQ(claimed_, strings{"a"});
}

TEST_F(parked_jobs_test, one_that_waits_for_another_is_handed_back_when_that_has_ended) {
  put_other("first");
  park("a", "first");
  pass(10min);
  EXPECT_EQ(state_of("a"), job_state::running);
  end("first");
  // It is claimed again at once.
  EXPECT_EQ(claimed_, strings{"a"});
}

TEST_F(parked_jobs_test, one_whose_other_is_gone_does_not_wait) {
  park("a", "gone");
  EXPECT_EQ(claimed_, strings{"a"});
}

TEST_F(parked_jobs_test, waits_again_after_an_error) {
  broker_.fail(operation::wait_ended, 2);
  park("a", "gone");
  EXPECT_EQ(claimed_, strings{});
  pass(500ms);
  EXPECT_EQ(claimed_, strings{});
  pass(500ms);
  EXPECT_EQ(claimed_, strings{"a"});
}

TEST_F(parked_jobs_test, a_burst_keeps_them_to_its_end) {
  parked_jobs in_burst({broker_, settler_, fetcher_, roles_, clock_, true});
  park(in_burst, "a");
  pass(59min);
  EXPECT_EQ(state_of("a"), job_state::running);
  roles_.close();
  loop_.run_ready();
  EXPECT_EQ(state_of("a"), job_state::running);
}

TEST_F(parked_jobs_test, of_a_lost_lease_they_are_other_workers) {
  park("a");
  lease().lease.token = "another";
  pass(1s);
  EXPECT_EQ(broker_.count(operation::settle), 0u);
}

TEST_F(parked_jobs_test, one_that_is_cancelled_is_handed_back_at_once) {
  put_other("first");
  park("a", "first");
  parked_.cancel_requested(lease(), "b");
  EXPECT_EQ(broker_.count(operation::settle), 0u);
  parked_.cancel_requested(lease(), "a");
  loop_.run_ready();
  EXPECT_EQ(broker_.count(operation::settle), 1u);
  end("first");
  pass(1s);
  EXPECT_EQ(broker_.count(operation::settle), 1u);
}

TEST_F(parked_jobs_test, are_known_as_held) {
  park("a");
  park("b");
  strings ids;
  parked_.append_ids(lease(), ids);
  EXPECT_EQ(ids, (strings{"a", "b"}));
  pass(1s);
  ids.clear();
  parked_.append_ids(lease(), ids);
  EXPECT_EQ(ids, strings{});
}

}  // namespace
}  // namespace quarq::test::parked_jobs_tests
