// What worker::cron accepts.
#include <string>

#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

namespace quarq::test::cron_options_tests {
namespace {

template <class F>
std::string error_text(F f) {
  try {
    f();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

/// What run() says of a worker that was set up so.
std::string refusal_of(const std::function<void(worker&)>& set_up) {
  worker w;
  w.options().broker = "sqlite::memory:";
  set_up(w);
  return error_text([&] { run(w.run()); });
}

TEST(cron_options_of_a_worker, wrong_ones_are_refused_by_run) {
  const auto nothing = [] {};
  EXPECT_EQ(refusal_of([&](worker& w) { w.cron("x", nothing, {.hour = 25}); }),
            "cron x: hour \"25\": column 1: expected 0 to 23, got 25");
  EXPECT_EQ(refusal_of([&](worker& w) {
              w.cron("x", nothing, "0 3 * *");
            }).rfind("cron x: crontab \"0 3 * *\": expected five", 0),
            0u);
  EXPECT_NE(
      refusal_of([&](worker& w) { w.cron("x", nothing, {.timezone = "Mars/Olympus"}); }).find("Mars/Olympus"),
      std::string::npos);
  EXPECT_EQ(refusal_of([&](worker& w) { w.cron("a b", nothing, "@daily"); }),
            "cron \"a b\": name: expected 1 to 150 characters without white space and colons");
  EXPECT_EQ(refusal_of([&](worker& w) { w.cron("x", nothing, {.hour = 3, .priority = 10}); }),
            "cron x: option priority: expected 0 to 9, got 10");
  EXPECT_NE(refusal_of([&](worker& w) {
              w.cron("x", nothing, {.hour = 3, .overlap = overlap::after, .job_id = "y"});
            }).find("job_id"),
            std::string::npos);
  EXPECT_EQ(refusal_of([&](worker& w) {
              w.cron("x", nothing, "@daily");
              w.cron("x", nothing, "@daily");
            }),
            "cron x: there is one with this name already");
}

}  // namespace
}  // namespace quarq::test::cron_options_tests
