// What waits to be exported, and when a batch is sent again.
#include <string>

#include <gtest/gtest.h>

#include "otlp/export_retry.hpp"
#include "otlp/span_buffer.hpp"

namespace quarq::otlp {
namespace {

using namespace std::chrono_literals;
using added = span_buffer::added;

finished_span named(std::string name) {
  finished_span one;
  one.name = std::move(name);
  return one;
}

added add(span_buffer& to, std::string name) {
  auto one = named(std::move(name));
  return to.add(one);
}

std::string names(const std::vector<finished_span>& spans) {
  std::string all;
  for (const auto& one : spans) all += one.name;
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

TEST(span_buffer, takes_the_memory_of_spans_that_were_sent) {
  span_buffer waiting(10, 3);
  for (const auto* const name : {"a", "b", "c"}) add(waiting, name);
  auto taken = waiting.take();
  add(waiting, "d");
  waiting.give_back(taken);
  EXPECT_TRUE(taken.empty());
  for (const auto* const name : {"e", "f"}) add(waiting, name);
  auto one = named("g");
  EXPECT_EQ(waiting.add(one), added::waits);
  EXPECT_EQ(one.name, "a") << "in its place";
  EXPECT_EQ(waiting.size(), 4u);
  taken = waiting.take();
  EXPECT_EQ(names(taken), "def");
  EXPECT_EQ(names(waiting.take()), "g") << "and none of those that were sent";
  waiting.give_back(taken);
  auto others = std::vector<finished_span>{named("x")};
  waiting.give_back(others);
  EXPECT_EQ(names(others), "x") << "it has enough";
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
