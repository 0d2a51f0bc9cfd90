#include "workers/lease_renewer.hpp"

#include "unit/workers/role_test.hpp"

namespace quarq::test::lease_renewer_tests {
namespace {

using workers::lease_renewer;
using workers::queue_lease;

class lease_renewer_test : public role_test {
 protected:
  void serve() {
    start(renewer_.open(lease()));
    start(renewer_.run(lease()));
  }
  std::size_t renewals() const { return broker_.count(operation::renew); }

  static constexpr auto duration = 4s;  // so a renewal each second

  strings seen_;
  lease_renewer renewer_{{broker_, leases_, clock_, loop_.executor(), duration,
                          [] { return std::string("card"); },
                          [this](queue_lease& l, const std::string& token) {
                            seen_.push_back("events for " + l.served.name);
                            EXPECT_FALSE(token.empty());
                            return broker::worker_events();
                          },
                          [this](queue_lease& l) { seen_.push_back("work ready in " + l.served.name); },
                          [this](queue_lease&, const std::string& id) { seen_.push_back("cancel " + id); },
                          [this](queue_lease& l) -> std::size_t {
                            EXPECT_TRUE(l.is_held());
                            seen_.push_back("lost");
                            return 2;
                          }}};
};

TEST_F(lease_renewer_test, opens_a_lease_with_a_fresh_token) {
  start(renewer_.open(lease()));
  EXPECT_TRUE(lease().is_held());
  EXPECT_EQ(seen_, strings{"events for default"});
  EXPECT_EQ(broker_.count(operation::open_lease), 1u);
}

TEST_F(lease_renewer_test, renews_four_times_in_the_life_of_a_lease_but_within_bounds) {
  EXPECT_EQ(lease_renewer::interval(2s), 500ms);
  EXPECT_EQ(lease_renewer::interval(60s), 1s);
  EXPECT_EQ(lease_renewer::interval(100ms), 100ms);
  serve();
  pass(3500ms);
  EXPECT_EQ(renewals(), 3u);
}

TEST_F(lease_renewer_test, says_what_the_worker_is_at_each_renewal) {
  serve();
  pass(1s);
  std::string card;
  start([](scripted_broker& b, std::string& out) -> awaitable<void> {
    const auto workers = co_await b.workers("default");
    out = workers.at(0).worker_info;
  }(broker_, card));
  EXPECT_EQ(card, "card");
}

TEST_F(lease_renewer_test, renews_at_once_when_asked_to) {
  serve();
  renewer_.renew_now(lease());
  loop_.run_ready();
  EXPECT_EQ(renewals(), 1u);
}

TEST_F(lease_renewer_test, hears_of_jobs_in_the_queue) {
  serve();
  seen_.clear();
  broker_.put("default", queued("a"));
  pass(1s);
  EXPECT_EQ(seen_, strings{"work ready in default"});
}

TEST_F(lease_renewer_test, hears_which_jobs_are_to_be_cancelled) {
  serve();
  seen_.clear();
  broker_.request_cancel_at_renewal("default", "a");
  pass(1s);
  EXPECT_EQ(seen_, strings{"cancel a"});
}

TEST_F(lease_renewer_test, replaces_a_lease_that_was_lost) {
  serve();
  const auto first = lease().lease.token;
  lease().since = broker_.now();
  seen_.clear();
  broker_.lose_leases();
  pass(1s);
  EXPECT_TRUE(lease().is_held());
  EXPECT_NE(lease().lease.token, first);
  EXPECT_EQ(lease().since, broker::time_point{});
  EXPECT_EQ(seen_, (strings{"lost", "events for default", "work ready in default"}));
}

TEST_F(lease_renewer_test, while_a_lost_lease_can_not_be_replaced_none_is_held) {
  serve();
  broker_.lose_leases();
  broker_.fail(operation::open_lease, 2);
  pass(1s);
  EXPECT_FALSE(lease().is_held());
  seen_.clear();
  pass(1s);
  EXPECT_FALSE(lease().is_held());
  pass(1s);
  EXPECT_TRUE(lease().is_held());
  // The loss was reported before.
  EXPECT_EQ(std::count(seen_.begin(), seen_.end(), "lost"), 0);
  EXPECT_EQ(seen_.back(), "work ready in default");
}

TEST_F(lease_renewer_test, an_error_is_not_a_loss) {
  serve();
  const auto first = lease().lease.token;
  broker_.fail(operation::renew, 2);
  pass(3s);
  EXPECT_EQ(renewals(), 3u);
  EXPECT_EQ(lease().lease.token, first);
}

TEST_F(lease_renewer_test, is_sure_of_its_lease_from_the_last_question_that_was_answered) {
  serve();
  EXPECT_EQ(lease().sure_until, clock_.now() + duration);
  pass(1s);
  EXPECT_EQ(lease().sure_until, clock_.now() + duration);
  broker_.stall(operation::renew);
  const auto asked = clock_.now() + 1s;
  pass(10s);
  EXPECT_FALSE(lease().is_sure(clock_.now()));
  seen_.clear();
  broker_.resume(operation::renew);
  loop_.run_ready();
  EXPECT_EQ(lease().sure_until, asked + duration);
  pass(1s);
  EXPECT_TRUE(lease().is_sure(clock_.now()));
  EXPECT_EQ(seen_.back(), "work ready in default");
}

TEST_F(lease_renewer_test, closes_what_it_holds) {
  start(renewer_.close(lease()));
  EXPECT_EQ(broker_.count(operation::close_lease), 0u);
  start(renewer_.open(lease()));
  start(renewer_.close(lease()));
  EXPECT_EQ(broker_.count(operation::close_lease), 1u);
}

}  // namespace
}  // namespace quarq::test::lease_renewer_tests
