// A call as the job that a broker is given.
#include "clients/new_job.hpp"

#include <limits>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/task.hpp>

#include "model/record.hpp"
#include "unit/codecs/codec_helpers.hpp"

namespace quarq::test {
namespace {

using namespace std::chrono_literals;
using clients::to_job;

constexpr task<int(std::string url)> crawl{"crawl", "url"};

broker::new_job job_of(call<int> c) {
  return to_job(detail::call_access::take(std::move(c)));
}

std::string refusal(call<int> c) {
  return testing::error_of<usage_error>([&] { job_of(std::move(c)); });
}

TEST(new_job, holds_what_the_call_says) {
  const auto job =
      job_of(crawl("http://a").id("page").priority(9).delay(10s).expires(1min).timeout(2s).attempts(3));
  EXPECT_EQ(job.id, "page");
  EXPECT_FALSE(job.id_is_fresh);
  EXPECT_EQ(job.priority, 9);
  EXPECT_EQ(job.delay, 10s);
  EXPECT_EQ(job.expires, 1min);
  const auto r = model::decode_record(job.record);
  EXPECT_EQ(r.task, "crawl");
  EXPECT_EQ(r.arguments, crawl("http://a").arguments());
  EXPECT_EQ(r.timeout, 2s);
  EXPECT_EQ(r.max_attempts, 3);
  EXPECT_FALSE(r.awaited);
}

TEST(new_job, without_an_id_gets_a_new_one) {
  const auto one = job_of(crawl("a"));
  const auto other = job_of(crawl("a"));
  EXPECT_TRUE(one.id_is_fresh);
  EXPECT_EQ(one.id.size(), 26u);
  EXPECT_NE(one.id, other.id);
}

TEST(new_job, options_out_of_range_are_named_with_their_range) {
  EXPECT_EQ(refusal(crawl("a").id("")), "crawl: option id: expected 1 to 255 bytes, got 0");
  EXPECT_EQ(refusal(crawl("a").id(std::string(256, 'x'))),
            "crawl: option id: expected 1 to 255 bytes, got 256");
  EXPECT_EQ(refusal(crawl("a").id("a\xff")), "crawl: option id: expected UTF-8, got \"a\xef\xbf\xbd\"");
  EXPECT_EQ(refusal(crawl("a").delay(-1ms)), "crawl: option delay: expected 0 to 3153600000000 ms, got -1");
  EXPECT_EQ(refusal(crawl("a").expires(0ms)), "crawl: option expires: expected 1 to 3153600000000 ms, got 0");
  EXPECT_EQ(refusal(crawl("a").priority(10)), "crawl: option priority: expected 0 to 9, got 10");
  EXPECT_EQ(refusal(crawl("a").timeout(0ms)), "crawl: option timeout: expected 1 to 3153600000000 ms, got 0");
  EXPECT_EQ(refusal(crawl("a").attempts(0)), "crawl: option attempts: expected 1 to 1000000, got 0");
  EXPECT_EQ(refusal(crawl("a").backoff(backoff::constant(-1ms))),
            "crawl: option backoff (first pause): expected 0 to 3153600000000 ms, got -1");
  EXPECT_EQ(refusal(crawl("a").keep_result(-1ms)),
            "crawl: option keep_result: expected 0 to 3153600000000 ms, got -1");
}

TEST(new_job, a_result_may_be_kept_forever) {
  const auto job = job_of(crawl("a").keep_result(forever));
  EXPECT_EQ(model::decode_record(job.record).keep_result, forever);
}

}  // namespace
}  // namespace quarq::test
