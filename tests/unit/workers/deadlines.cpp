#include "workers/deadlines.hpp"

#include "unit/workers/role_test.hpp"

namespace quarq::test::deadlines_tests {
namespace {

using workers::running_job;

class deadlines_test : public role_test {
 protected:
  deadlines_test() {
    start(deadlines_.run([this](running_job& job) { passed_.push_back(job.claimed.id); }));
  }
  running_job& job(std::string id) {
    broker::claimed_job claimed;
    claimed.id = std::move(id);
    return jobs_.emplace_back(lease(), std::move(claimed), worker_, detail::job_facts(), clock_.now());
  }

  context worker_{nullptr};
  std::list<running_job> jobs_;
  workers::deadlines deadlines_{clock_, loop_.executor()};
  strings passed_;
};

TEST_F(deadlines_test, tells_of_each_when_its_time_has_come) {
  deadlines_.set(job("second"), 200ms);
  deadlines_.set(job("first"), 100ms);
  pass(99ms);
  EXPECT_EQ(passed_, strings{});
  pass(1ms);
  EXPECT_EQ(passed_, strings{"first"});
  pass(100ms);
  EXPECT_EQ(passed_, (strings{"first", "second"}));
  pass(1h);
  EXPECT_EQ(passed_.size(), 2u);
}

TEST_F(deadlines_test, an_earlier_one_is_heard_of_while_it_waits_for_a_later_one) {
  deadlines_.set(job("later"), 1h);
  pass(1s);
  deadlines_.set(job("sooner"), 50ms);
  pass(50ms);
  EXPECT_EQ(passed_, strings{"sooner"});
}

TEST_F(deadlines_test, a_new_one_replaces_the_jobs_old_one) {
  auto& a = job("a");
  deadlines_.set(a, 100ms);
  deadlines_.set(a, 300ms);
  pass(299ms);
  EXPECT_EQ(passed_, strings{});
  pass(1ms);
  EXPECT_EQ(passed_, strings{"a"});
}

TEST_F(deadlines_test, one_that_was_cleared_does_not_come) {
  auto& a = job("a");
  deadlines_.set(a, 100ms);
  deadlines_.set(job("b"), 100ms);
  deadlines_.clear(a);
  deadlines_.clear(a);
  EXPECT_FALSE(a.deadline);
  pass(1s);
  EXPECT_EQ(passed_, strings{"b"});
}

TEST_F(deadlines_test, those_that_are_set_with_one_that_is_cleared_at_once_come) {
  auto &a = job("a"), &b = job("b"), &c = job("c"), &d = job("d");
  for (auto* each : {&a, &b, &c, &d}) deadlines_.set(*each, 100ms);
  deadlines_.clear(b);
  deadlines_.clear(d);
  deadlines_.set(b, 50ms);
  deadlines_.clear(a);
  pass(100ms);
  EXPECT_EQ(passed_, (strings{"b", "c"}));
}

TEST_F(deadlines_test, jobs_may_share_a_time) {
  for (const char* id : {"a", "b", "c"}) deadlines_.set(job(id), 100ms);
  pass(100ms);
  EXPECT_EQ(passed_.size(), 3u);
}

}  // namespace
}  // namespace quarq::test::deadlines_tests
