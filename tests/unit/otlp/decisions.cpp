// What waits to be exported, and when a batch is sent again.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "otlp/export_retry.hpp"
#include "otlp/span_buffer.hpp"

namespace quarq::otlp {
namespace {

using namespace std::chrono_literals;
using added = span_buffer::added;

added add(span_buffer& to, std::string_view name) {
  static const auto none = shared_attributes::make(std::vector<shared_attributes::owned>());
  const span_context context;
  return to.add({.context = context, .name = name, .shared = *none});
}

std::string names(const stored_spans& spans) {
  std::string all;
  spans.for_each([&](const finished_span& one) { all += one.name; });
  return all;
}

TEST(span_buffer, tells_when_there_is_something_to_do) {
  span_buffer waiting(5, 3);
  EXPECT_EQ(add(waiting, "a"), added::first);
  EXPECT_EQ(add(waiting, "b"), added::waits);
  EXPECT_FALSE(waiting.has_batch());
  EXPECT_EQ(add(waiting, "c"), added::completes_batch);
  EXPECT_TRUE(waiting.has_batch());
  EXPECT_EQ(add(waiting, "d"), added::waits);
}

TEST(span_buffer, is_bounded_and_keeps_the_oldest) {
  span_buffer waiting(3, 2);
  for (const auto* const name : {"a", "b", "c"}) EXPECT_NE(add(waiting, name), added::dropped);
  EXPECT_EQ(add(waiting, "d"), added::dropped);
  EXPECT_EQ(waiting.size(), 3u);
  EXPECT_EQ(names(waiting.take()), "ab");
  EXPECT_EQ(add(waiting, "e"), added::completes_batch);
  EXPECT_EQ(names(waiting.take()), "ce");
  EXPECT_TRUE(waiting.empty());
  EXPECT_EQ(names(waiting.take()), "");
  EXPECT_EQ(add(waiting, "f"), added::first);
}

TEST(span_buffer, of_single_spans_each_is_a_batch) {
  span_buffer waiting(2, 1);
  EXPECT_EQ(add(waiting, "a"), added::completes_batch);
  EXPECT_EQ(names(waiting.take()), "a");
}

TEST(span_buffer, begins_a_batch_in_the_memory_of_one_that_was_sent_and_with_none_of_its_spans) {
  span_buffer waiting(10, 2);
  for (const auto* const name : {"a", "b"}) add(waiting, name);
  auto taken = waiting.take();
  taken.clear();
  waiting.give_back(taken);
  for (const auto* const name : {"c", "d", "e"}) add(waiting, name);
  EXPECT_EQ(names(waiting.take()), "cd");
  EXPECT_EQ(names(waiting.take()), "e");
}

TEST(export_retry, pauses_double_and_end) {
  export_retry retry;
  EXPECT_EQ(retry.pause_after({503}, 0.5), 1'000ms);
  EXPECT_EQ(retry.pause_after({0}, 0.5), 2'000ms);
  EXPECT_EQ(retry.pause_after({429}, 0.5), 4'000ms);
  EXPECT_EQ(retry.pause_after({504}, 0.5), 8'000ms);
  EXPECT_EQ(retry.pause_after({502}, 0.5), std::nullopt) << "the fifth attempt was the last";
}

TEST(export_retry, a_pause_is_up_to_a_fifth_longer_or_shorter) {
  EXPECT_EQ(export_retry().pause_after({503}, 0), 800ms);
  EXPECT_EQ(export_retry().pause_after({503}, 1), 1'200ms);
}

TEST(export_retry, waits_for_as_long_as_it_is_asked_to) {
  EXPECT_EQ(export_retry().pause_after({429, 7'000ms}, 0.5), 7'000ms);
  EXPECT_EQ(export_retry().pause_after({429, 10ms}, 0.5), 1'000ms);
  EXPECT_EQ(export_retry().pause_after({503, 60'000ms}, 0.5), 60'000ms);
  EXPECT_EQ(export_retry().pause_after({503, 61'000ms}, 0.5), std::nullopt);
}

TEST(export_retry, other_answers_are_final) {
  for (const int status : {301, 400, 401, 403, 404, 408, 413, 500, 501, 505}) {
    EXPECT_EQ(export_retry().pause_after({status}, 0.5), std::nullopt) << status;
  }
  EXPECT_TRUE(export_answer{200}.is_taken());
  EXPECT_TRUE(export_answer{202}.is_taken());
  EXPECT_FALSE(export_answer{}.is_taken());
}

}  // namespace
}  // namespace quarq::otlp
