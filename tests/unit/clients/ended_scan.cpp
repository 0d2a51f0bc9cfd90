#include "clients/ended_scan.hpp"

#include <gtest/gtest.h>

#include "model/record.hpp"

namespace quarq::test::ended_scan_tests {
namespace {

using namespace std::chrono_literals;
using clients::ended_scan;
using ids = std::vector<std::string>;

constexpr broker::time_point began{1'000ms};

std::vector<broker::job_details> ended(const ids& names, std::int64_t finished_ms = 2'000) {
  std::vector<broker::job_details> jobs;
  model::outcome o;
  o.finished_ms = finished_ms;
  for (const auto& id : names) {
    auto& job = jobs.emplace_back();
    job.id = id;
    job.state = job_state::succeeded;
    job.outcome = model::encode(o);
  }
  return jobs;
}

ids taken(ended_scan& scan) {
  ids all;
  for (const auto& job : scan.take()) all.push_back(job.id);
  return all;
}

ids after_pass(ended_scan& scan, const ids& met) {
  scan.meet(ended(met), began);
  scan.end_pass();
  return taken(scan);
}

TEST(ended_scan, reports_what_a_pass_has_met_that_those_before_had_not) {
  ended_scan scan;
  scan.meet(ended({"old"}, 999), began);
  EXPECT_EQ(taken(scan), ids());
  scan.meet(ended({"first"}), began);
  scan.end_pass();
  EXPECT_EQ(taken(scan), ids{"first"});
  scan.meet(ended({"old"}, 999), began);
  EXPECT_EQ(after_pass(scan, {"first", "second", "first", "second"}), ids{"second"});
  scan.meet(ended({"first"}, 3'000), began);
  EXPECT_EQ(after_pass(scan, {"first", "second"}), ids{"first"}) << "at another time, it is another end";
}

TEST(ended_scan, does_not_keep_large_ends_until_the_pass_is_over) {
  ended_scan scan;
  auto large = ended({"a", "b"});
  for (auto& job : large) job.record.assign(ended_scan::max_new_bytes / 2, 'x');
  scan.meet({large[0]}, began);
  EXPECT_EQ(taken(scan), ids());
  scan.meet({large[1]}, began);
  EXPECT_EQ(taken(scan), (ids{"a", "b"}));
  scan.meet(ended({"c"}), began);
  EXPECT_EQ(taken(scan), ids()) << "it counts anew";
}

TEST(ended_scan, knows_again_what_one_pass_has_skipped) {
  ended_scan scan;
  EXPECT_EQ(after_pass(scan, {"a", "b"}), (ids{"a", "b"}));
  EXPECT_EQ(after_pass(scan, {"b"}), ids());
  EXPECT_EQ(after_pass(scan, {"a", "b"}), ids());
  EXPECT_EQ(after_pass(scan, {}), ids());
  EXPECT_EQ(after_pass(scan, {}), ids());
  EXPECT_EQ(after_pass(scan, {"a"}), ids{"a"});
}

TEST(ended_scan, leaves_out_what_was_reported_before_or_after_it_was_met) {
  ended_scan scan;
  after_pass(scan, {});
  scan.was_reported(ended({"before"}).front());
  scan.meet(ended({"before", "after", "met"}), began);
  scan.was_reported(ended({"after"}).front());
  scan.end_pass();
  scan.was_reported(ended({"next"}).front());
  EXPECT_EQ(taken(scan), ids{"met"});
  EXPECT_EQ(after_pass(scan, {"before", "after", "met"}), ids()) << "met too early to see \"next\"";
  EXPECT_EQ(after_pass(scan, {"next", "before", "after", "met"}), ids());
}

TEST(ended_scan, does_not_keep_any_number_until_the_pass_is_over) {
  ended_scan scan;
  after_pass(scan, {});
  ids many;
  for (std::size_t i = 0; i < ended_scan::max_new; ++i) many.push_back(std::to_string(i));
  scan.meet(ended(many), began);
  EXPECT_EQ(taken(scan).size(), many.size());
  scan.meet(ended({"one more"}), began);
  EXPECT_EQ(taken(scan), ids());
  EXPECT_EQ(after_pass(scan, many), ids{"one more"});
}

}  // namespace
}  // namespace quarq::test::ended_scan_tests
