// The outcome of a cancelled job that no worker ends.
#include "clients/cancel.hpp"

#include <gtest/gtest.h>

#include <quarq/msgpack.hpp>

namespace quarq::test {
namespace {

using namespace std::chrono_literals;
using clients::end_if_cancelled;

broker::job_details job_in(job_state state, int attempts, std::optional<retention> keep = std::nullopt) {
  model::record r;
  r.task = "resize";
  encoder(r.arguments).array(0);
  r.keep_result = keep;
  broker::job_details job;
  job.id = "id";
  job.state = state;
  job.attempts = attempts;
  job.record = encode(r);
  job.enqueued_at = broker::time_point(1234ms);
  return job;
}

TEST(cancel, the_outcome_says_what_was_cancelled_and_when) {
  const auto queued = end_if_cancelled(job_in(job_state::queued, 0)).what;
  EXPECT_EQ(queued.error, "resize was cancelled before it ran");
  EXPECT_EQ(queued.error_type, "quarq::cancelled");
  EXPECT_EQ(queued.task, "resize");
  EXPECT_EQ(queued.enqueued_ms, 1234);
  EXPECT_EQ(queued.attempts, 0);
  const auto deferred = end_if_cancelled(job_in(job_state::deferred, 2)).what;
  EXPECT_EQ(deferred.error, "resize was cancelled before its next attempt");
  EXPECT_EQ(deferred.attempts, 2);
  const auto running = end_if_cancelled(job_in(job_state::running, 1)).what;
  EXPECT_EQ(running.error, "resize was cancelled while it ran");
}

TEST(cancel, the_outcome_is_kept_for_an_hour_or_as_long_as_the_job_asks_if_that_is_longer) {
  EXPECT_EQ(end_if_cancelled(job_in(job_state::queued, 0)).keep, model::milliseconds(1h));
  EXPECT_EQ(end_if_cancelled(job_in(job_state::queued, 0, 0ms)).keep, model::milliseconds(1h));
  EXPECT_EQ(end_if_cancelled(job_in(job_state::queued, 0, 48h)).keep, model::milliseconds(48h));
  EXPECT_EQ(end_if_cancelled(job_in(job_state::queued, 0, forever)).keep, std::nullopt);
}

TEST(cancel, a_job_that_can_not_be_read_has_an_outcome_all_the_same) {
  auto job = job_in(job_state::queued, 0);
  job.record = "\xc1 nothing of ours";
  const auto end = end_if_cancelled(job);
  EXPECT_EQ(end.what.error, "job id was cancelled before it ran");
  EXPECT_EQ(end.what.task, "");
  EXPECT_EQ(end.keep, model::milliseconds(1h));
}

}  // namespace
}  // namespace quarq::test
