#include "workers/settler.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <quarq/msgpack.hpp>

#include "model/record.hpp"
#include "unit/workers/role_test.hpp"

namespace quarq::test::settler_tests {
namespace {

using workers::settler;

broker::settlement end_of(std::string id) {
  broker::settlement s;
  s.id = std::move(id);
  s.keep = std::nullopt;
  model::outcome o;
  o.task = "work";
  o.result = to_msgpack(42);
  s.outcome = model::encode(o);
  return s;
}

class settler_test : public role_test {
 protected:
  settler_test() {
    hold(lease());
    start(settler_.run(lease()));
  }
  std::uint64_t settle(const std::string& id) {
    put_held(id);
    return settler_.settle(lease(), end_of(id));
  }
  /// Settles the job and waits for the answer, which is put into `held`.
  awaitable<void> settle_and_wait(std::string id, std::optional<bool>& held) {
    const auto number = settle(id);
    held = co_await settler_.wait_answered(lease(), number);
  }
  awaitable<void> begin_and_wait(std::string id, std::optional<bool>& held) {
    put_held(id);
    held = co_await settler_.begin(lease(), id);
  }
  void refuse_result_of(const std::string& id, std::exception_ptr with = nullptr) {
    broker_.refuse_if(
        [id](const broker::settlement& s) { return s.id == id && s.state != job_state::failed; },
        std::move(with));
  }
  std::vector<strings> batches() const {
    std::vector<strings> all;
    for (const auto& c : broker_.calls(operation::settle)) all.push_back(c.ids);
    return all;
  }

  int answers_ = 0;
  settler settler_{{broker_, leases_, clock_, loop_.executor(), [this] { ++answers_; }}};
};

TEST_F(settler_test, sends_what_ended) {
  settle("a");
  EXPECT_FALSE(settler_.is_idle());
  loop_.run_ready();
  EXPECT_EQ(batches(), std::vector<strings>{{"a"}});
  EXPECT_EQ(broker_.at("default", "a").state, job_state::succeeded);
  EXPECT_TRUE(settler_.is_idle());
  EXPECT_EQ(answers_, 1);
}

TEST_F(settler_test, what_ends_while_a_batch_is_under_way_goes_with_the_next) {
  broker_.stall(operation::settle);
  settle("a");
  loop_.run_ready();
  settle("b");
  settle("c");
  loop_.run_ready();
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(batches(), (std::vector<strings>{{"a"}, {"b", "c"}}));
}

TEST_F(settler_test, a_batch_has_a_limit) {
  for (std::size_t i = 0; i < settler::max_batch + 1; ++i) settle(std::to_string(i));
  loop_.run_ready();
  ASSERT_EQ(batches().size(), 2u);
  EXPECT_EQ(batches()[0].size(), settler::max_batch);
  EXPECT_EQ(batches()[1].size(), 1u);
}

TEST_F(settler_test, after_an_error_the_same_batch_is_sent_again) {
  broker_.fail(operation::settle, 2);
  settle("a");
  pass(settler::pause_after_error - 1ms);
  settle("b");
  EXPECT_EQ(batches(), (std::vector<strings>{{"a"}}));
  pass(1ms);
  EXPECT_EQ(batches(), (std::vector<strings>{{"a"}, {"a"}}));
  EXPECT_FALSE(settler_.is_idle());
  pass(settler::pause_after_error);
  EXPECT_EQ(batches(), (std::vector<strings>{{"a"}, {"a"}, {"a"}, {"b"}}));
  EXPECT_TRUE(settler_.is_idle());
  EXPECT_EQ(broker_.settled().size(), 2u);
}

// A store may give a job out again before the end of its attempt before is on disk.
TEST_F(settler_test, two_ends_of_a_job_have_an_answer_each) {
  std::optional<bool> first, second;
  broker_.stall(operation::settle);
  start(settle_and_wait("a", first));
  loop_.run_ready();
  start(settle_and_wait("a", second));
  loop_.run_ready();
  EXPECT_FALSE(first || second);
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(first, true);
  EXPECT_TRUE(second.has_value());
}

TEST_F(settler_test, says_that_the_job_was_still_held) {
  std::optional<bool> held;
  start(settle_and_wait("a", held));
  EXPECT_EQ(held, true);
}

TEST_F(settler_test, says_that_an_end_was_refused) {
  broker_.refuse_settlements();
  std::optional<bool> held;
  start(settle_and_wait("a", held));
  EXPECT_EQ(held, false);
  EXPECT_TRUE(settler_.is_idle());
}

TEST_F(settler_test, answers_are_distinguished) {
  broker_.stall(operation::settle);
  std::optional<bool> first, second;
  start(settle_and_wait("a", first));
  start(settle_and_wait("b", second));
  // Another worker has it.
  auto taken = broker_.at("default", "b");
  taken.holder = "another";
  broker_.put("default", taken);
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(first, true);
  EXPECT_EQ(second, false);
}

TEST_F(settler_test, says_that_a_job_has_begun) {
  std::optional<bool> held;
  start(begin_and_wait("a", held));
  EXPECT_EQ(held, true);
  EXPECT_EQ(batches(), std::vector<strings>{{"a"}});
  EXPECT_EQ(broker_.at("default", "a").state, job_state::running);
  settler_.settle(lease(), end_of("a"));
  loop_.run_ready();
  EXPECT_EQ(broker_.at("default", "a").state, job_state::succeeded);
}

TEST_F(settler_test, a_begin_that_was_not_sent_yet_gives_way_to_the_end) {
  broker_.stall(operation::settle);
  settle("first");
  loop_.run_ready();
  std::optional<bool> held;
  const auto begins = start(begin_and_wait("a", held));
  begins->cancel();
  loop_.run_ready();
  settler_.hand_back(lease(), "a");
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(held, std::nullopt);
  EXPECT_EQ(batches(), (std::vector<strings>{{"first"}, {"a"}}));
  EXPECT_EQ(broker_.at("default", "a").state, job_state::queued);
}

TEST_F(settler_test, a_begin_that_gave_way_to_the_end_is_waited_for_no_longer) {
  broker_.stall(operation::settle);
  settle("first");
  loop_.run_ready();
  std::optional<bool> held;
  start(begin_and_wait("a", held));
  settler_.hand_back(lease(), "a");
  loop_.run_ready();
  EXPECT_EQ(held, false);
}

TEST_F(settler_test, an_end_comes_after_a_begin_that_is_under_way) {
  broker_.stall(operation::settle);
  std::optional<bool> begun, ended;
  const auto begins = start(begin_and_wait("a", begun));
  begins->cancel();
  loop_.run_ready();
  start(settle_and_wait("a", ended));
  broker_.fail(operation::settle);
  broker_.resume(operation::settle);
  loop_.run_ready();
  EXPECT_EQ(ended, std::nullopt) << "the answer to its begin is not the answer to its end";
  pass(settler::pause_after_error);
  EXPECT_EQ(ended, true);
  EXPECT_EQ(batches(), (std::vector<strings>{{"a"}, {"a"}, {"a"}}));
}

TEST_F(settler_test, a_begin_under_a_lost_lease_is_answered) {
  broker_.stall(operation::settle);
  settle("first");
  loop_.run_ready();
  std::optional<bool> held;
  start(begin_and_wait("a", held));
  settler_.lease_lost(lease());
  loop_.run_ready();
  EXPECT_EQ(held, false);
}

TEST_F(settler_test, hands_back) {
  put_held("a");
  settler_.hand_back(lease(), "a");
  loop_.run_ready();
  ASSERT_EQ(broker_.settled().size(), 1u);
  EXPECT_EQ(broker_.settled()[0].kind, broker::settlement::what::hand_back);
  EXPECT_EQ(broker_.at("default", "a").state, job_state::queued);
}

TEST_F(settler_test, what_was_not_sent_when_the_lease_was_lost_counts_for_nothing) {
  broker_.stall(operation::settle);
  settle("a");
  loop_.run_ready();
  settle("b");
  settler_.lease_lost(lease());
  lease().lease.token = "another";
  broker_.resume(operation::settle);
  loop_.run_ready();
  // The first was under way, under the lease that held it.
  EXPECT_EQ(batches(), (std::vector<strings>{{"a"}}));
  EXPECT_EQ(broker_.settled().size(), 1u);
  EXPECT_TRUE(settler_.is_idle());
}

TEST_F(settler_test, knows_the_jobs_whose_ends_are_not_recorded) {
  broker_.stall(operation::settle);
  settle("a");
  loop_.run_ready();
  settle("b");
  strings ids;
  settler_.append_ids(lease(), ids);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, (strings{"a", "b"}));
}

// ---- what the store refuses

TEST_F(settler_test, an_end_that_is_refused_does_not_hold_up_the_others) {
  refuse_result_of("big");
  for (const char* id : {"a", "b", "big", "c", "d"}) settle(id);
  loop_.run_ready();
  EXPECT_EQ(broker_.settled().size(), 4u);
  EXPECT_FALSE(settler_.is_idle());
  EXPECT_EQ(settler_.unrecorded(), 1u);
  settle("later");
  loop_.run_ready();
  EXPECT_EQ(broker_.settled().size(), 5u);
}

TEST_F(settler_test, a_job_whose_end_was_refused_is_known_and_not_to_be_given_to_others) {
  refuse_result_of("big");
  settle("big");
  loop_.run_ready();
  strings ids;
  settler_.append_ids(lease(), ids);
  EXPECT_EQ(ids, strings{"big"});
}

TEST_F(settler_test, an_end_that_is_refused_again_and_again_is_recorded_as_failed_with_the_reason) {
  refuse_result_of("big");
  std::optional<bool> held;
  start(settle_and_wait("big", held));
  pass(settler::pause_after_error * (settler::max_refusals - 2));
  EXPECT_EQ(broker_.at("default", "big").state, job_state::running);
  pass(settler::pause_after_error);
  EXPECT_EQ(broker_.at("default", "big").state, job_state::failed);
  const auto o = model::decode_outcome(broker_.at("default", "big").outcome);
  EXPECT_EQ(o.error_type, "quarq::broker_error");
  EXPECT_EQ(o.error, "the store refused the end of the job, succeeded: scripted to refuse");
  EXPECT_EQ(o.task, "work");
  EXPECT_EQ(o.result, "");
  EXPECT_TRUE(settler_.is_idle());
  EXPECT_EQ(held, false) << "what was recorded is not how it ended";
}

// A broker that can't write an end down throws other errors than those of its store.
TEST_F(settler_test, an_end_that_the_broker_can_not_express_is_recorded_as_failed) {
  const std::vector<std::exception_ptr> refusals = {
      std::make_exception_ptr(usage_error("a key that is a list")),
      std::make_exception_ptr(std::invalid_argument("a key that is a list"))};
  for (std::size_t i = 0; i < refusals.size(); ++i) {
    const auto id = "odd" + std::to_string(i), other = "other" + std::to_string(i);
    refuse_result_of(id, refusals[i]);
    settle(id);
    settle(other);
    loop_.run_ready();
    EXPECT_EQ(broker_.at("default", other).state, job_state::succeeded);
    pass(settler::pause_after_error * settler::max_refusals);
    EXPECT_EQ(broker_.at("default", id).state, job_state::failed);
    const auto o = model::decode_outcome(broker_.at("default", id).outcome);
    EXPECT_EQ(o.error, "the store refused the end of the job, succeeded: a key that is a list");
    EXPECT_TRUE(settler_.is_idle());
  }
}

TEST_F(settler_test, a_store_that_refuses_everything_for_a_while_gets_the_end_as_it_was) {
  broker_.refuse_if([](const broker::settlement&) { return true; });
  settle("a");
  pass(1h);
  EXPECT_EQ(broker_.settled().size(), 0u);
  broker_.refuse_if(nullptr);
  pass(settler::pause_after_error);
  EXPECT_EQ(broker_.at("default", "a").state, job_state::succeeded);
}

TEST_F(settler_test, a_store_that_is_full_is_waited_for) {
  broker_.fail(operation::settle, 1'000, broker_error::reason::full);
  settle("a");
  settle("b");
  pass(settler::pause_after_error * 999);
  EXPECT_EQ(batches().size(), 1'000u);
  EXPECT_EQ(batches().back(), (strings{"a", "b"}));
  pass(settler::pause_after_error);
  EXPECT_EQ(broker_.at("default", "a").state, job_state::succeeded);
  EXPECT_TRUE(settler_.is_idle());
}

TEST_F(settler_test, what_was_refused_counts_for_nothing_when_the_lease_is_lost) {
  refuse_result_of("big");
  std::optional<bool> held;
  start(settle_and_wait("big", held));
  settler_.lease_lost(lease());
  lease().lease.token = "another";
  loop_.run_ready();
  EXPECT_EQ(held, false);
  EXPECT_TRUE(settler_.is_idle());
  pass(1h);
  EXPECT_EQ(batches().size(), 1u);
}

TEST_F(settler_test, nobody_waits_for_ends_that_went_with_their_lease) {
  broker_.stall(operation::settle);
  settle("first");
  loop_.run_ready();
  std::optional<bool> held;
  start(settle_and_wait("a", held));
  settler_.lease_lost(lease());
  loop_.run_ready();
  EXPECT_EQ(held, false);
}

TEST_F(settler_test, a_worker_that_ends_waits_for_no_answer) {
  broker_.stall(operation::settle);
  std::optional<bool> held;
  start(settle_and_wait("a", held));
  EXPECT_EQ(held, std::nullopt);
  settler_.abandon();
  loop_.run_ready();
  EXPECT_EQ(held, false);
}

}  // namespace
}  // namespace quarq::test::settler_tests
