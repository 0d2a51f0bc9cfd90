#include "workers/lease_renewer.hpp"

#include "support/captured_log.hpp"
#include "unit/workers/role_test.hpp"

namespace quarq::test::lease_renewer_tests {
namespace {

using workers::lease_renewer;
using workers::queue_lease;

class lease_renewer_test : public role_test {
 protected:
  void serve() {
    start(renewer_.open());
    start(renewer_.run());
  }
  std::size_t renewals() const { return broker_.count(operation::renew); }

  static constexpr auto duration = 4s;  // so a renewal each second

  strings seen_;
  std::string why_silent_;
  lease_renewer renewer_{{broker_, leases_, clock_, loop_.executor(), duration,
                          [] { return std::string("busy"); }, "announced",
                          [this](const std::string& token) {
                            seen_.push_back("opens");
                            EXPECT_FALSE(token.empty());
                            return broker::worker_events();
                          },
                          [this](queue_lease& l) { seen_.push_back("work ready in " + l.served.name); },
                          [this](queue_lease& l, const std::string& id) {
                            seen_.push_back("cancel " + id + " of " + l.served.name);
                          },
                          [this](queue_lease& l) -> std::size_t {
                            EXPECT_TRUE(l.is_held());
                            seen_.push_back("lost " + l.served.name);
                            return 2;
                          },
                          [this] { return why_silent_; }}};
};

TEST_F(lease_renewer_test, opens_a_lease_with_a_fresh_token) {
  start(renewer_.open());
  EXPECT_TRUE(lease().is_held());
  EXPECT_EQ(seen_, strings{"opens"});
  EXPECT_EQ(broker_.count(operation::open_lease), 1u);
}

TEST_F(lease_renewer_test, renews_four_times_in_the_life_of_a_lease_but_within_bounds) {
  EXPECT_EQ(lease_renewer::interval(2s), 500ms);
  EXPECT_EQ(lease_renewer::interval(60s), 1s);
  EXPECT_EQ(lease_renewer::interval(100ms), 100ms);
  EXPECT_EQ(lease_renewer::interval(7s, 500), 1s);
  EXPECT_EQ(lease_renewer::interval(7s, 700), 1400ms);
  EXPECT_EQ(lease_renewer::interval(7s, 1'000), 1750ms);
  EXPECT_EQ(lease_renewer::interval(60s, 100'000), 2s);
  EXPECT_EQ(lease_renewer::interval(2s, 100'000), 500ms);
  serve();
  pass(3500ms);
  EXPECT_EQ(renewals(), 3u);
}

TEST_F(lease_renewer_test, says_what_the_worker_is_at_each_renewal) {
  serve();
  pass(1s);
  std::string info;
  start([](scripted_broker& b, std::string& out) -> awaitable<void> {
    const auto workers = co_await b.workers("default");
    out = workers.at(0).worker_info;
  }(broker_, info));
  EXPECT_EQ(info, "busy");
}

TEST_F(lease_renewer_test, renews_at_once_when_asked_to) {
  serve();
  renewer_.renew_now();
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
  EXPECT_EQ(seen_, strings{"cancel a of default"});
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
  EXPECT_EQ(seen_, (strings{"lost default", "opens", "work ready in default"}));
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
  EXPECT_EQ(std::count(seen_.begin(), seen_.end(), "lost default"), 0);
  EXPECT_EQ(seen_.back(), "work ready in default");
}

TEST_F(lease_renewer_test, says_of_a_lost_lease_what_kept_it_from_renewing) {
  const captured_log log;
  serve();
  broker_.lose_leases();
  pass(1s);
  why_silent_ = "the loop had been blocked for 9.0 s by task=resize id=a";
  broker_.lose_leases();
  pass(1s);
  const std::string line =
      "lease lost after more than 4000 ms without contact; 2 running jobs are others' now";
  EXPECT_TRUE(log.has(line + "\n")) << log.text();
  EXPECT_TRUE(log.has(line + "; " + why_silent_ + "\n")) << log.text();
}

// For another thread that renews it meanwhile.
TEST_F(lease_renewer_test, tells_of_the_lease_that_it_holds) {
  EXPECT_FALSE(renewer_.last_renewed());
  serve();
  const auto held = renewer_.last_renewed();
  ASSERT_TRUE(held);
  EXPECT_EQ(held->held.token, lease().lease.token);
  EXPECT_EQ(held->held.queues, strings{"default"});
  EXPECT_EQ(held->terms.worker_info, "busy");
  EXPECT_EQ(held->terms.duration, duration);
  broker_.lose_leases();
  broker_.fail(operation::open_lease);
  pass(1s);
  EXPECT_FALSE(renewer_.last_renewed()) << "there is no other yet";
  pass(1s);
  ASSERT_TRUE(renewer_.last_renewed());
  EXPECT_EQ(renewer_.last_renewed()->held.token, lease().lease.token);
  start(renewer_.close());
  EXPECT_FALSE(renewer_.last_renewed());
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
  start(renewer_.close());
  EXPECT_EQ(broker_.count(operation::close_lease), 0u);
  start(renewer_.open());
  start(renewer_.close());
  EXPECT_EQ(broker_.count(operation::close_lease), 1u);
}

// The store may have opened it: without that it would look held until it runs out.
TEST_F(lease_renewer_test, closes_also_what_it_was_not_told_to_be_open) {
  broker_.stall(operation::open_lease);
  const auto opening = start(renewer_.open());
  opening->cancel();
  loop_.run_ready();
  EXPECT_TRUE(opening->aborted());
  EXPECT_FALSE(lease().is_held());
  start(renewer_.close());
  EXPECT_EQ(broker_.count(operation::close_lease), 1u);
}

// ---- a worker of two queues

class two_queues : public role_test {
 protected:
  two_queues() { leases_.push_back(make_lease("mail", 1, 1)); }
};

class of_two_queues : public two_queues {
 protected:
  void serve() {
    start(renewer_.open());
    start(renewer_.run());
    seen_.clear();
  }
  queue_lease& mail() { return leases_.back(); }

  strings seen_;
  lease_renewer renewer_{{broker_, leases_, clock_, loop_.executor(), 4s, [] { return std::string(); }, "",
                          [](const std::string&) { return broker::worker_events(); },
                          [this](queue_lease& l) { seen_.push_back("work ready in " + l.served.name); },
                          [this](queue_lease& l, const std::string& id) {
                            seen_.push_back("cancel " + id + " of " + l.served.name);
                          },
                          [this](queue_lease& l) -> std::size_t {
                            seen_.push_back("lost " + l.served.name);
                            return 0;
                          }}};
};

TEST_F(of_two_queues, one_lease_and_one_renewal_are_for_both) {
  serve();
  EXPECT_EQ(broker_.count(operation::open_lease), 1u);
  EXPECT_EQ(lease().lease.token, mail().lease.token);
  EXPECT_EQ(mail().lease.queue, "mail");
  pass(3s);
  EXPECT_EQ(broker_.count(operation::renew), 3u);
  EXPECT_EQ(mail().sure_until, clock_.now() + 4s);
  EXPECT_EQ(lease().sure_until, mail().sure_until);
  start(renewer_.close());
  EXPECT_EQ(broker_.count(operation::close_lease), 1u);
}

TEST_F(of_two_queues, each_hears_what_is_its_own) {
  serve();
  broker_.request_cancel_at_renewal("mail", "a");
  pass(1s);
  broker_.put("default", queued("b"));
  pass(1s);
  EXPECT_EQ(seen_, (strings{"cancel a of mail", "work ready in default"}));
}

TEST_F(of_two_queues, lose_their_lease_together_and_get_one_again) {
  serve();
  const auto first = lease().lease.token;
  broker_.lose_leases();
  pass(1s);
  EXPECT_EQ(seen_, (strings{"lost default", "lost mail", "work ready in default", "work ready in mail"}));
  EXPECT_NE(mail().lease.token, first);
  EXPECT_EQ(lease().lease.token, mail().lease.token);
}

}  // namespace
}  // namespace quarq::test::lease_renewer_tests
