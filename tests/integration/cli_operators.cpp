// The commands by which operators find and forget jobs, and see their attempts, labels and rates.
#include "integration/cli_test.hpp"

namespace quarq::test::cli_tests {
namespace {

class cli_operators : public cli_test {};

INSTANTIATE_TEST_SUITE_P(at, cli_operators, testing::ValuesIn(cli_brokers()),
                         [](const auto& p) { return p.param.name; });

TEST_P(cli_operators, a_job_shows_its_attempts) {
  enqueued({"greet", "\"Ann\"", "--attempts", "2", "--id", "again"});
  auto o = options();
  o.burst = o.burst_includes_deferred = true;
  work(o);
  const auto job = quarq_json({"job", "again"});
  EXPECT_EQ(job.at("state"), "dead");
  const auto& history = job.at("history").as_array();
  ASSERT_EQ(history.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(history[i].at("attempt"), i + 1);
    EXPECT_EQ(history[i].at("error"), "no greeting for Ann");
    EXPECT_EQ(history[i].at("worker"), job.at("worker"));
    EXPECT_TRUE(history[i].at("started_at").is_string());
  }
  const auto lines = lines_of(quarq({"job", "again"}).out);
  EXPECT_TRUE(lines.at(lines.size() - 2).starts_with("attempt 1  20")) << lines.at(lines.size() - 2);
  EXPECT_TRUE(lines.back().starts_with("attempt 2  20")) << lines.back();
  EXPECT_TRUE(lines.back().ends_with(": std::runtime_error: no greeting for Ann")) << lines.back();
}

TEST_P(cli_operators, labels_are_set_shown_and_searched) {
  enqueued({"t", "1", "--tag", "urgent", "--tag", "invoice", "--header", "customer=42", "--call-version", "3",
            "--id", "labelled"});
  enqueued({"t", "2"});
  const auto job = quarq_json({"job", "labelled"});
  EXPECT_EQ(job.at("headers").at("customer"), "42");
  EXPECT_EQ(job.at("tags").as_array().size(), 2u);
  EXPECT_EQ(job.at("version"), 3);
  const auto text = quarq({"job", "labelled"}).out;
  for (const auto* line :
       {"\nversion    3\n", "\ntags       urgent, invoice\n", "\nheaders    customer=42\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_EQ(quarq_json({"jobs", "--tag", "invoice"}).at("jobs").as_array().size(), 1u);
  EXPECT_EQ(quarq_json({"jobs", "--text", "[2]"}).at("jobs").as_array().size(), 1u);
  EXPECT_EQ(quarq_json({"jobs", "--id-prefix", "label"}).at("jobs").as_array().size(), 1u);
  EXPECT_EQ(quarq_json({"jobs", "--since", "2020-01-01T00:00:00Z"}).at("jobs").as_array().size(), 2u);
  EXPECT_EQ(quarq({"jobs", "--until", "2020-01-01T00:00:00Z"}).out,
            "no jobs enqueued before 2020-01-01T00:00:00Z in queue default\n");
  expect_error(quarq({"enqueue", "t", "--header", "customer"}), 2,
               "--header: expected NAME=VALUE, got \"customer\" (see quarq enqueue --help)");
}

TEST_P(cli_operators, a_list_goes_on_where_it_says) {
  for (int i = 0; i < 5; ++i) enqueued({i % 2 ? "odd" : "even", "--id", "job" + std::to_string(i)});
  std::string from, seen;
  for (int calls = 0; calls < 9; ++calls) {
    strings arguments = {"jobs", "--limit", "1", "--scan", "100", "--task", "even"};
    if (!from.empty()) arguments.insert(arguments.end(), {"--from", from});
    const auto part = quarq_json(arguments);
    for (const auto& job : part.at("jobs").as_array()) seen += std::string(job.at("id").as_string()) + " ";
    if (part.at("next").is_null()) {
      EXPECT_EQ(part.at("looked_at"), 5);
      break;
    }
    from = part.at("next").as_string();
  }
  EXPECT_EQ(seen, "job0 job2 job4 ");
  const auto lines = lines_of(quarq({"jobs", "--scan", "100", "--task", "none"}).out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("looked at 5 ")) << lines[0];
  EXPECT_TRUE(lines[0].ends_with("jobs")) << lines[0];
  const auto wrong = quarq({"jobs", "--from", "nonsense"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("\"nonsense\""), std::string::npos) << wrong.err;
}

TEST_P(cli_operators, jobs_are_purged_by_filter) {
  for (int i = 0; i < 4; ++i) enqueued({i % 2 ? "odd" : "even", std::to_string(i), "--delay", "1h"});
  EXPECT_EQ(
      quarq_json({"purge", "--state", "deferred", "--task", "odd", "--text", "[3]", "--yes"}).at("purged"),
      1);
  EXPECT_EQ(quarq_json({"purge", "--state", "deferred", "--task", "even", "--yes"}).at("purged"), 2);
  EXPECT_EQ(quarq_json({"jobs"}).at("jobs").as_array().size(), 1u);
  EXPECT_EQ(quarq_json({"purge", "--state", "deferred", "--yes"}).at("purged"), 1);
}

TEST_P(cli_operators, queues_show_what_has_happened_lately) {
  enqueued({"add", "1", "2"});
  enqueued({"greet", "\"Ann\"", "--attempts", "1"});
  work();
  const auto lately = quarq_json({"queues"}).at(0).at("lately");
  EXPECT_EQ(lately.at("enqueued"), 2);
  EXPECT_EQ(lately.at("started"), 2);
  EXPECT_EQ(lately.at("succeeded"), 1);
  EXPECT_EQ(lately.at("minutes"), 5);
  EXPECT_TRUE(lately.at("waited_seconds").at("p99").is_number());
  const auto lines = lines_of(quarq({"queues"}).out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].ends_with("ENQUEUED    ENDED   FAILED")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with("0.4/min  0.4/min  0.2/min")) << lines[1];
}

}  // namespace
}  // namespace quarq::test::cli_tests
