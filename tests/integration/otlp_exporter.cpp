// The exporter of traces, with a collector.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <quarq/errors.hpp>
#include <quarq/otlp.hpp>

#include "support/captured_log.hpp"
#include "support/default_timeout.hpp"
#include "support/otlp_receiver.hpp"

namespace quarq::test::otlp_exporter_tests {
namespace {

using namespace std::chrono_literals;

class otlp_exporter_test : public testing::Test {
 protected:
  otlp_options options() const {
    otlp_options o;
    o.endpoint = receiver_.endpoint();
    o.delay = 1h;  // a batch, or a flush
    return o;
  }
  void TearDown() override { EXPECT_EQ(receiver_.problems(), ""); }
  static void add(otlp_exporter& to, int count) {
    const auto none = shared_attributes::make(std::vector<shared_attributes::owned>{});
    for (int i = 0; i < count; ++i) {
      span_context context;
      context.trace_id = {1};
      context.span_id = {2, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
      const auto name = "span " + std::to_string(i);
      const auto now = std::chrono::system_clock::now();
      to.add({.context = context, .name = name, .start = now, .end = now, .shared = *none});
    }
  }

  captured_log log_;
  otlp_receiver receiver_;
};

using otlp_exporter_sends = otlp_exporter_test;

TEST_F(otlp_exporter_sends, what_it_has_at_a_flush) {
  auto o = options();
  o.service_name = "shop";
  o.headers = {{"X-Key", "hunter2"}};
  otlp_exporter exporter(o);
  add(exporter, 3);
  exporter.flush(default_timeout);
  const auto spans = receiver_.spans();
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].name, "span 0");
  EXPECT_EQ(spans[2].name, "span 2");
  EXPECT_EQ(spans[0].resource.at("service.name"), "shop");
  EXPECT_EQ(receiver_.requests(), 1u);
  EXPECT_EQ(receiver_.headers("X-Key").at(0), "hunter2");
  EXPECT_EQ(exporter.counts().exported, 3u);
  EXPECT_EQ(exporter.counts().dropped, 0u);
  exporter.flush(default_timeout);
  EXPECT_EQ(receiver_.requests(), 1u) << "there was nothing more";
}

TEST_F(otlp_exporter_sends, batches_without_waiting_for_the_rest) {
  auto o = options();
  o.max_batch = 10;
  otlp_exporter exporter(o);
  add(exporter, 25);
  EXPECT_TRUE(receiver_.wait_for_spans(20));
  exporter.flush(default_timeout);
  EXPECT_EQ(receiver_.spans().size(), 25u);
  EXPECT_EQ(receiver_.requests(), 3u);
}

TEST_F(otlp_exporter_sends, fewer_than_a_batch_after_the_delay) {
  auto o = options();
  o.delay = 1ms;
  otlp_exporter exporter(o);
  add(exporter, 1);
  EXPECT_TRUE(receiver_.wait_for_spans(1));
  add(exporter, 1);
  EXPECT_TRUE(receiver_.wait_for_spans(2));
}

TEST_F(otlp_exporter_sends, again_what_the_collector_does_not_take_now) {
  receiver_.answer_next({{503}, {429, "{}", "1"}});
  otlp_exporter exporter(options());
  add(exporter, 2);
  exporter.flush(default_timeout);
  EXPECT_EQ(receiver_.spans().size(), 2u);
  EXPECT_EQ(receiver_.requests(), 3u);
  EXPECT_EQ(exporter.counts().exported, 2u);
  EXPECT_EQ(exporter.counts().dropped, 0u);
}

// The threads of this program, by their priorities.
std::multiset<int> niceness_of_threads() {
  std::multiset<int> all;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
    all.insert(::getpriority(PRIO_PROCESS, static_cast<id_t>(std::stoul(thread.path().filename()))));
  return all;
}

TEST_F(otlp_exporter_sends, from_a_thread_that_gives_way_to_the_others) {
  const int mine = ::getpriority(PRIO_PROCESS, 0), lower = std::min(mine + 10, 19);
  const auto before = niceness_of_threads().count(lower);
  otlp_exporter exporter(options());
  add(exporter, 1);
  exporter.flush(default_timeout);
  EXPECT_EQ(niceness_of_threads().count(lower), before + 1);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), mine);
}

using otlp_exporter_drops = otlp_exporter_test;

TEST_F(otlp_exporter_drops, what_does_not_fit_while_the_collector_is_slow) {
  auto o = options();
  o.max_queue = o.max_batch = 10;
  otlp_exporter exporter(o);
  receiver_.hold();
  add(exporter, 10);
  ASSERT_TRUE(receiver_.wait_for_requests(1));
  add(exporter, 25);
  EXPECT_EQ(exporter.counts().dropped, 15u);
  EXPECT_EQ(exporter.counts().exported, 0u);
  receiver_.open();
  exporter.flush(default_timeout);
  EXPECT_EQ(exporter.counts().exported, 20u);
  EXPECT_EQ(exporter.counts().dropped, 15u);
  EXPECT_TRUE(log_.has("traces: 15 spans could not be sent: more came than could be sent")) << log_.text();
}

TEST_F(otlp_exporter_drops, what_the_collector_refuses) {
  receiver_.answer_next({{401}, {200, R"({"partialSuccess":{"rejectedSpans":"2"}})"}});
  auto o = options();
  o.headers = {{"Authorization", "Bearer hunter2"}};
  otlp_exporter exporter(o);
  add(exporter, 3);
  exporter.flush(default_timeout);
  EXPECT_EQ(exporter.counts().dropped, 3u);
  EXPECT_EQ(receiver_.requests(), 1u) << "401 is final";
  EXPECT_TRUE(log_.has("traces: 3 spans could not be sent: the collector answers 401")) << log_.text();
  add(exporter, 5);
  exporter.flush(default_timeout);
  EXPECT_EQ(exporter.counts().exported, 3u);
  EXPECT_EQ(exporter.counts().dropped, 5u);
  EXPECT_EQ(log_.count("could not be sent"), 1u) << "one line a minute";
}

TEST_F(otlp_exporter_drops, nothing_waits_for_a_collector_that_does_not_answer) {
  receiver_.hold();
  {
    otlp_exporter exporter(options());
    add(exporter, 1);
    exporter.flush(1ms);
    EXPECT_EQ(exporter.counts().exported, 0u);
    ASSERT_TRUE(receiver_.wait_for_requests(1));
  }
  EXPECT_TRUE(receiver_.spans().empty());
}

TEST(otlp_exporter_options, must_make_sense) {
  const auto refused = [](auto change) {
    otlp_options o;
    change(o);
    try {
      otlp_exporter exporter(o);
      return std::string();
    } catch (const usage_error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_NE(refused([](otlp_options& o) { o.endpoint = "nowhere"; }).find("URL of a collector"),
            std::string::npos);
  EXPECT_NE(refused([](otlp_options& o) { o.max_queue = 0; }).find("max_queue"), std::string::npos);
  EXPECT_NE(refused([](otlp_options& o) { o.max_batch = 0; }).find("max_batch"), std::string::npos);
  EXPECT_NE(refused([](otlp_options& o) { o.timeout = 0ms; }).find("timeout"), std::string::npos);
  EXPECT_NE(refused([](otlp_options& o) { o.delay = -1ms; }).find("delay"), std::string::npos);
  const auto header = refused([](otlp_options& o) { o.headers = {{"a", "hunter2\r\nx: y"}}; });
  EXPECT_NE(header.find("headers"), std::string::npos);
  expect_no_secret("the error", header);
}

}  // namespace
}  // namespace quarq::test::otlp_exporter_tests
