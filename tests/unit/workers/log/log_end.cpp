// Which line of a log format tells how an attempt ended.
#include "workers/log/log_end.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::test::log_end_tests {

using broker::logged_error;
using broker::logged_job;
using model::attempt;
using std::chrono::milliseconds;

class recorded_format final : public broker::worker_log_format {
 public:
  const char* line_pattern() const noexcept override { return "%v"; }
  void stopping(const broker::logged_stop&) const override {}
  void started(const logged_job&) const override {}
  void finished(const logged_job&, std::optional<std::string_view> result) const override {
    lines.push_back("finished " + std::string(result.value_or("(hidden)")));
  }
  void retried(const logged_job&, const logged_error& error, milliseconds pause) const override {
    lines.push_back("retried " + std::to_string(pause.count()) + " " + std::string(error.message));
    why = error.why;
  }
  void handed_back(const logged_job&) const override { lines.push_back("handed back"); }
  void failed(const logged_job&, const logged_error& error, job_state state) const override {
    lines.push_back("failed " + std::string(to_string(state)) + " " + std::string(error.type));
    why = error.why;
  }
  void left_running(const logged_job&) const override {}
  void aborted_unstarted(const logged_job&) const override {}

  mutable std::vector<std::string> lines;
  mutable logged_error::kind why = logged_error::kind::raised;
};

class log_end : public testing::Test {
 protected:
  std::string line(const attempt& a, job_state state, std::optional<std::string_view> result = {}) {
    format_.lines.clear();
    workers::log_end(format_, logged_job(), a, {state, milliseconds(20)}, result);
    return format_.lines.size() == 1 ? format_.lines[0] : std::to_string(format_.lines.size()) + " lines";
  }

  attempt threw(std::string type, std::string text) {
    return {attempt::result_kind::threw, model::stop_reason::none, std::move(type), std::move(text)};
  }

  recorded_format format_;
};

TEST_F(log_end, a_success_shows_its_result_unless_results_are_hidden) {
  EXPECT_EQ(line({}, job_state::succeeded, "7"), "finished 7");
  EXPECT_EQ(line({}, job_state::succeeded), "finished (hidden)");
}

TEST_F(log_end, what_was_thrown_can_not_forge_a_line_or_flood_the_log) {
  EXPECT_EQ(line(threw("type", "no\n12:00 info \x1b[2J"), job_state::deferred),
            "retried 20 no\\n12:00 info \\x1b[2J");
  const auto flood = line(threw(std::string(3'000'000, 'x'), "text"), job_state::failed);
  EXPECT_EQ(flood, "failed failed " + std::string(1'000, 'x') + "…");
}

TEST_F(log_end, a_deferred_job_is_retried_after_its_pause) {
  EXPECT_EQ(line(threw("my_error", "no such page"), job_state::deferred), "retried 20 no such page");
  EXPECT_EQ(format_.why, logged_error::kind::raised);
}

TEST_F(log_end, a_queued_job_is_handed_back) {
  EXPECT_EQ(line({}, job_state::queued), "handed back");
}

TEST_F(log_end, every_other_end_is_a_failure_with_its_state) {
  EXPECT_EQ(line(threw("my_error", ""), job_state::dead), "failed dead my_error");
  EXPECT_EQ(line(threw("my_error", ""), job_state::cancelled), "failed cancelled my_error");
}

TEST_F(log_end, formats_get_the_reason) {
  auto a = threw("my_error", "");
  a.pause = milliseconds(5);
  line(a, job_state::deferred);
  EXPECT_EQ(format_.why, logged_error::kind::retry_requested);
  a = attempt();
  a.result = attempt::result_kind::unknown_task;
  line(a, job_state::dead);
  EXPECT_EQ(format_.why, logged_error::kind::unknown_task);
  a.result = attempt::result_kind::exhausted;
  line(a, job_state::dead);
  EXPECT_EQ(format_.why, logged_error::kind::attempts_exhausted);
}

}  // namespace quarq::test::log_end_tests
