#include "clients/job_news.hpp"

#include <gtest/gtest.h>

#include "model/record.hpp"

namespace quarq::test::job_news_tests {
namespace {

using namespace std::chrono_literals;
using clients::job_event;
using clients::job_news;
using clients::owned_filter;
using kind = job_event::kind;
using jobs = std::vector<broker::job_details>;

constexpr broker::time_point now{1'000'000ms};

broker::job_details running(const std::string& id, int attempt = 1) {
  model::record r;
  r.task = "mail";
  r.arguments = "\x90";
  broker::job_details job;
  job.id = id;
  job.state = job_state::running;
  job.record = model::encode(r);
  job.attempts = attempt;
  return job;
}

broker::job_details in(job_state state, const std::string& id, std::int64_t finished_ms = 7) {
  model::outcome o;
  o.task = "mail";
  o.finished_ms = finished_ms;
  broker::job_details job;
  job.id = id;
  job.state = state;
  job.outcome = model::encode(o);
  return job;
}

/// "started a", "dead b".
std::vector<std::string> reported(job_news& news) {
  std::vector<std::string> all;
  for (const auto& event : news.take()) {
    constexpr std::string_view words[] = {"started ", "", "retried ", "returned ", "gone "};
    const bool ended = event.what == kind::ended;
    const std::string word(ended ? std::string(to_string(event.job.state)) + ' '
                                 : std::string(words[static_cast<int>(event.what)]));
    all.push_back(word + event.job.id);
    EXPECT_EQ(event.task, "mail");
  }
  return all;
}

using lines = std::vector<std::string>;

TEST(job_news, what_ran_before_the_first_look_is_not_news_but_its_end_is) {
  job_news news{owned_filter()};
  news.see_running(jobs{running("a")}, true, now);
  EXPECT_EQ(reported(news), lines());
  news.see_running(jobs{running("a"), running("b")}, true, now);
  EXPECT_EQ(reported(news), lines{"started b"});
  news.see_running(jobs{running("b")}, true, now);
  EXPECT_EQ(news.missing(10), lines{"a"});
  news.found("a", in(job_state::failed, "a"));
  EXPECT_EQ(reported(news), lines{"failed a"});
  EXPECT_TRUE(news.missing(10).empty());
}

TEST(job_news, a_missing_job_is_reported_by_where_it_is) {
  job_news news{owned_filter()};
  news.see_running(jobs{running("again"), running("back"), running("gone"), running("hidden")}, true, now);
  news.see_running(jobs{}, true, now);
  EXPECT_EQ(news.missing(10).size(), 4u);
  news.found("again", in(job_state::deferred, "again"));
  news.found("back", in(job_state::queued, "back"));
  news.found("gone", std::nullopt);
  news.found("hidden", running("hidden"));
  EXPECT_EQ(reported(news), (lines{"retried again", "returned back", "gone gone"}));
  EXPECT_TRUE(news.missing(10).empty()) << "it runs, and was not on the page";
  EXPECT_EQ(news.counts().ended, 1u);
  EXPECT_EQ(news.counts().retried, 1u);
}

TEST(job_news, another_attempt_is_another_start) {
  job_news news{owned_filter()};
  news.see_running(jobs{}, true, now);
  news.see_running(jobs{running("a")}, true, now);
  news.see_running(jobs{running("a")}, true, now);
  news.see_running(jobs{running("a", 2)}, true, now);
  EXPECT_EQ(reported(news), (lines{"started a", "started a"}));
}

TEST(job_news, an_end_is_reported_once_however_it_came_to_light) {
  job_news news{owned_filter()};
  news.see_running(jobs{running("a")}, true, now);
  news.see_ended(jobs{in(job_state::dead, "a"), in(job_state::dead, "quick")}, now);
  news.see_running(jobs{}, true, now);
  EXPECT_TRUE(news.missing(10).empty());
  news.see_ended(jobs{in(job_state::dead, "a"), in(job_state::dead, "quick", 8)}, now);
  EXPECT_EQ(reported(news), (lines{"dead a", "dead quick", "dead quick"}))
      << "at another time, it is another end";
  EXPECT_EQ(news.counts().failed, 3u);
}

TEST(job_news, an_end_that_is_found_late_does_not_end_the_job_that_has_its_id_now) {
  job_news news{owned_filter()};
  news.see_running(jobs{}, true, now);
  news.see_running(jobs{running("again")}, true, now);
  news.see_ended(jobs{in(job_state::succeeded, "again", 1)}, now, true);
  news.see_running(jobs{running("again")}, true, now);
  EXPECT_EQ(reported(news), (lines{"started again", "succeeded again"})) << "and not started once more";
  news.see_running(jobs{}, true, now);
  EXPECT_EQ(news.missing(10), std::vector<std::string>{"again"});
}

TEST(job_news, of_a_look_the_ends_come_by_their_time_and_id_between_starts_and_what_has_no_time) {
  job_news news{owned_filter()};
  news.see_running(jobs{running("gone"), running("again"), running("slow")}, true, now);
  news.see_running(jobs{running("z"), running("b")}, true, now);
  news.see_ended(jobs{in(job_state::dead, "e", 5), in(job_state::dead, "a", 9)}, now);
  news.see_ended(jobs{in(job_state::failed, "d", 5), in(job_state::failed, "c", 2)}, now);
  news.found("gone", std::nullopt);
  news.found("again", in(job_state::deferred, "again", 6));
  news.found("slow", in(job_state::succeeded, "slow", 1));
  news.see_running(jobs{running("z"), running("b"), running("again", 2)}, true, now);
  news.see_ended(jobs{in(job_state::failed, "late", 3)}, now);
  EXPECT_EQ(reported(news),
            (lines{"started z", "started b", "succeeded slow", "failed c", "failed d", "dead e",
                   "retried again", "dead a", "gone gone", "started again", "failed late"}))
      << "the next look's come after";
}

TEST(job_news, states_choose_the_events) {
  owned_filter failures;
  failures.states = job_state::dead | job_state::deferred;
  job_news news{failures};
  news.see_running(jobs{}, true, now);
  news.see_running(jobs{running("a"), running("b")}, true, now);
  news.see_running(jobs{}, true, now);
  news.found("a", in(job_state::deferred, "a"));
  news.found("b", in(job_state::succeeded, "b"));
  news.see_ended(jobs{in(job_state::dead, "c")}, now);
  EXPECT_EQ(reported(news), (lines{"retried a", "dead c"}));
}

TEST(job_news, of_a_tracked_job_the_end_is_reported_though_it_does_not_say_what_is_asked_for) {
  owned_filter some;
  some.text = "[]";
  job_news news{some};
  news.see_running(jobs{running("a")}, true, now);
  news.see_ended(jobs{in(job_state::failed, "a"), in(job_state::failed, "b")}, now);
  EXPECT_EQ(reported(news), lines{"failed a"}) << "of b's arguments nothing is kept";
}

TEST(job_news, asks_for_so_many_and_forgets_the_others) {
  job_news news{owned_filter()};
  jobs many;
  for (int i = 0; i < 50; ++i) many.push_back(running(std::to_string(i)));
  news.see_running(many, true, now);
  news.see_running(jobs{}, false, now);
  EXPECT_EQ(news.missing(10).size(), 10u);
  EXPECT_EQ(news.missing(100).size(), 50u) << "others may run that were not looked at";
  news.see_running(jobs{}, true, now);
  EXPECT_EQ(news.missing(10).size(), 10u);
  EXPECT_EQ(news.missing(100).size(), 10u);
}

}  // namespace
}  // namespace quarq::test::job_news_tests
