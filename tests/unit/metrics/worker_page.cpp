#include "metrics/worker_page.hpp"

#include <string>

#include <gtest/gtest.h>

#include "support/manual_loop.hpp"
#include "support/openmetrics.hpp"
#include "workers/job_counters.hpp"

namespace quarq::test::worker_page_tests {
namespace {

using workers::job_counters;
using workers::queue_lease;
using workers::queue_leases;

queue_leases one_queue() {
  queue_leases all;
  all.emplace_back().served.name = "default";
  return all;
}

/// While each part is on its way, the first jobs of many more tasks begin.
class busy_writer final : public http::body_writer {
 public:
  busy_writer(job_counters& counters, const queue_lease& queue) : counters_(counters), queue_(queue) {}

  void begin(int tasks) {
    for (int i = 0; i < tasks; ++i) counters_.of(queue_, "task" + std::to_string(begun_++)).started = 1;
  }
  awaitable<void> write(std::string_view bytes) override {
    text_ += bytes;
    begin(1'000);
    co_return;
  }
  const std::string& text() const noexcept { return text_; }

 private:
  job_counters& counters_;
  const queue_lease& queue_;
  int begun_ = 0;
  std::string text_;
};

TEST(worker_page, is_whole_although_tasks_appear_while_it_is_written) {
  const auto leases = one_queue();
  job_counters counters(leases);
  busy_writer out(counters, leases[0]);
  out.begin(100);
  workers::observed_worker of;
  of.name = "host:1";
  of.jobs = &counters;
  of.state = [] { return workers::worker_state(); };
  manual_loop loop;
  const auto writing = loop.start(metrics::write_worker_page(of, out));
  ASSERT_TRUE(writing->ended());
  const auto read = read_openmetrics(out.text());
  EXPECT_EQ(read.value("quarq_attempts_started_total", {{"queue", "default"}, {"task", "task99"}}), 1);
  EXPECT_EQ(read.value("quarq_attempt_run_seconds_count", {{"queue", "default"}, {"task", "task99"}}), 0);
}

}  // namespace
}  // namespace quarq::test::worker_page_tests
