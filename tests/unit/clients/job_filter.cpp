#include "clients/job_filter.hpp"

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "model/record.hpp"

namespace quarq::test::job_filter_tests {
namespace {

using namespace std::chrono_literals;
using clients::open_states;
using clients::owned_filter;

constexpr broker::time_point now{1'000'000ms};

broker::job_details job_of(std::string_view task, std::chrono::milliseconds age = 0ms) {
  model::record r;
  r.task = task;
  r.arguments = "\x90";
  broker::job_details job;
  job.record = model::encode(r);
  job.enqueued_at = now - age;
  return job;
}

broker::job_details ended_job(std::string_view task, std::string_view type, std::string_view error) {
  model::outcome o;
  o.task = task;
  o.error_type = type;
  o.error = error;
  o.enqueued_ms = 1;
  broker::job_details job;
  job.state = job_state::failed;
  job.outcome = model::encode(o);
  return job;
}

owned_filter filter(const job_filter& said) {
  return {said, open_states | job_state::failed, "test"};
}

TEST(job_states, are_a_set) {
  constexpr job_states none, two = job_state::queued | job_state::dead;
  static_assert(none.empty() && !two.empty());
  static_assert(two.contains(job_state::dead) && !two.contains(job_state::running));
  static_assert((two & job_state::dead) == job_states(job_state::dead));
  static_assert((two | job_state::running) == (job_state::running | job_state::dead | job_state::queued));
}

TEST(job_filter, without_a_word_wants_all) {
  EXPECT_TRUE(filter({}).wants(broker::job_details(), now));
  EXPECT_EQ(filter({}).states, open_states | job_state::failed);
}

TEST(job_filter, asks_for_the_task_whether_the_job_has_ended_or_not) {
  const auto mails = filter({.task = "mail"});
  EXPECT_TRUE(mails.wants(job_of("mail"), now));
  EXPECT_FALSE(mails.wants(job_of("mailing"), now));
  EXPECT_TRUE(mails.wants(ended_job("mail", "", ""), now));
  auto damaged = job_of("mail");
  damaged.record = "damaged";
  EXPECT_FALSE(mails.wants(damaged, now));
}

TEST(job_filter, looks_for_its_text_in_type_and_message) {
  EXPECT_TRUE(filter({.error = "error: HTTP 5"}).wants(ended_job("a", "my::error", "HTTP 503"), now));
  EXPECT_FALSE(filter({.error = "HTTP 404"}).wants(ended_job("a", "my::error", "HTTP 503"), now));
  EXPECT_FALSE(filter({.error = "HTTP"}).wants(job_of("a"), now));
}

broker::job_details job_about(std::string_view text) {
  model::record r;
  r.task = "mail";
  encoder arguments(r.arguments);
  arguments.array(1);
  arguments.text(text);
  r.labels = std::make_shared<const quarq::detail::labels>(quarq::detail::labels{{}, {"urgent"}, 0});
  broker::job_details job;
  job.id = "job1";
  job.record = model::encode(r);
  job.enqueued_at = now;
  return job;
}

TEST(job_filter, looks_into_arguments_as_json_and_at_tags_and_ids) {
  EXPECT_TRUE(filter({.text = "[\"ann"}).wants(job_about("ann"), now));
  EXPECT_FALSE(filter({.text = "bob"}).wants(job_about("ann"), now));
  EXPECT_TRUE(filter({.tag = "urgent"}).wants(job_about("ann"), now));
  EXPECT_FALSE(filter({.tag = "urgen"}).wants(job_about("ann"), now));
  EXPECT_TRUE(filter({.id_prefix = "job"}).wants(job_about("ann"), now));
  EXPECT_FALSE(filter({.id_prefix = "job2"}).wants(job_about("ann"), now));
  EXPECT_FALSE(filter({.text = "a"}).wants(ended_job("mail", "", ""), now)) << "its arguments are not kept";
}

TEST(job_filter, asks_for_the_whole_type_of_an_error) {
  EXPECT_TRUE(filter({.error_type = "my::error"}).wants(ended_job("a", "my::error", "HTTP 503"), now));
  EXPECT_FALSE(filter({.error_type = "my::err"}).wants(ended_job("a", "my::error", "HTTP 503"), now));
}

TEST(job_filter, asks_for_moments_from_the_first_to_before_the_last) {
  EXPECT_TRUE(filter({.enqueued_from = now}).wants(job_about("a"), now));
  EXPECT_FALSE(filter({.enqueued_from = now + 1ms}).wants(job_about("a"), now));
  EXPECT_TRUE(filter({.enqueued_until = now + 1ms}).wants(job_about("a"), now));
  EXPECT_FALSE(filter({.enqueued_until = now}).wants(job_about("a"), now));
}

TEST(job_filter, counts_the_age_from_when_the_job_was_enqueued) {
  const auto old = filter({.older_than = 1min});
  EXPECT_TRUE(old.wants(job_of("a", 1min), now));
  EXPECT_FALSE(old.wants(job_of("a", 59s), now));
  EXPECT_TRUE(old.wants(ended_job("a", "", ""), now));
  EXPECT_FALSE(old.wants(broker::job_details(), now)) << "it is not known";
}

TEST(job_filter, all_that_is_asked_for_must_hold) {
  const auto both = filter({.task = "mail", .older_than = 1min});
  EXPECT_TRUE(both.wants(job_of("mail", 1h), now));
  EXPECT_FALSE(both.wants(job_of("mail"), now));
  EXPECT_FALSE(both.wants(job_of("resize", 1h), now));
}

TEST(job_filter, owns_its_texts) {
  owned_filter made;
  {
    const std::string task(100, 'x');
    made = owned_filter({.task = task}, open_states, "test");
  }
  EXPECT_EQ(made.task, std::string(100, 'x'));
}

TEST(job_filter, refuses_states_that_the_call_is_not_for) {
  try {
    owned_filter({.state = job_state::queued | job_state::dead}, open_states, "cancel");
    FAIL();
  } catch (const usage_error& e) {
    EXPECT_STREQ(e.what(),
                 "cancel: it is for jobs that are queued, deferred and running, not for those that are "
                 "queued and dead");
  }
}

TEST(job_filter, is_described_in_words) {
  EXPECT_EQ(filter({.state = job_state::queued}).in_words(), "queued jobs");
  EXPECT_EQ(
      filter(
          {.state = job_state::queued | job_state::running, .task = "mail", .error = "404", .older_than = 1h})
          .in_words(),
      "queued and running jobs of task mail with \"404\" in their error that are older than 1 h");
}

}  // namespace
}  // namespace quarq::test::job_filter_tests
