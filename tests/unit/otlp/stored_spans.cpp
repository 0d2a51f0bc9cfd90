// Spans that wait to be sent.
#include "otlp/stored_spans.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/kept_spans.hpp"

namespace quarq::otlp::stored_spans_tests {
namespace {

std::shared_ptr<const shared_attributes> queue_named(const std::string& name) {
  return shared_attributes::make(std::vector<shared_attributes::owned>{{"queue", name}});
}

span_context context_number(std::uint8_t number) {
  span_context of;
  of.trace_id = {number, 1};
  of.span_id = {number, 2};
  of.sampled = number % 2 == 1;
  of.trace_state = std::string(number, 's');
  return of;
}

// All that it refers to is gone when this returns.
void add_number(stored_spans& to, std::uint8_t number, const shared_attributes& shared) {
  const auto context = context_number(number);
  const auto name = "span " + std::to_string(number), text = "text " + std::to_string(number);
  std::vector<span_attribute> attributes = {{"text", std::string_view(text)},
                                            {"number", std::int64_t{number}}};
  attributes.resize(number % 3);
  std::vector<span_context> links(number % 4, context_number(static_cast<std::uint8_t>(number + 1)));
  finished_span one{.context = context, .name = name, .shared = shared};
  one.parent_span_id = {number, 3};
  one.kind = span_kind::consumer;
  one.start += std::chrono::seconds(number);
  one.end = one.start + std::chrono::milliseconds(number);
  one.attributes = attributes;
  one.links = links;
  one.dropped_links = number;
  one.status = span_status::error;
  one.status_message = text;
  to.add(one);
}

void expect_number(const test::kept_span& one, std::uint8_t number, const std::string& queue) {
  const auto text = "text " + std::to_string(number);
  EXPECT_EQ(one.context.trace_id, context_number(number).trace_id);
  EXPECT_EQ(one.context.span_id, context_number(number).span_id);
  EXPECT_EQ(one.context.sampled, number % 2 == 1);
  EXPECT_EQ(one.context.trace_state, std::string(number, 's'));
  EXPECT_EQ(one.parent_span_id, (std::array<std::uint8_t, 8>{number, 3}));
  EXPECT_EQ(one.name, "span " + std::to_string(number));
  EXPECT_EQ(one.kind, span_kind::consumer);
  EXPECT_EQ(one.end - one.start, std::chrono::milliseconds(number));
  EXPECT_EQ(test::attribute(one, "queue"), queue);
  EXPECT_EQ(test::attribute(one, "text"), number % 3 >= 1 ? text : "");
  EXPECT_EQ(test::attribute(one, "number"), number % 3 == 2 ? std::to_string(number) : "");
  ASSERT_EQ(one.links.size(), std::size_t(number % 4));
  for (const auto& link : one.links) EXPECT_EQ(link.trace_state, std::string(number + 1, 's'));
  EXPECT_EQ(one.dropped_links, number);
  EXPECT_EQ(one.status, span_status::error);
  EXPECT_EQ(one.status_message, text);
}

std::vector<test::kept_span> all_of(const stored_spans& spans) {
  test::kept_spans copies;
  spans.for_each([&](const finished_span& one) { copies.add(one); });
  return copies.all();
}

TEST(stored_spans, have_all_that_was_said_of_them_in_their_order) {
  stored_spans stored;
  {
    const auto mail = queue_named("mail"), other = queue_named("other");
    for (std::uint8_t i = 0; i < 100; ++i) add_number(stored, i, i % 5 == 0 ? *other : *mail);
  }
  const auto all = all_of(stored);
  ASSERT_EQ(all.size(), 100u);
  for (std::uint8_t i = 0; i < 100; ++i) expect_number(all[i], i, i % 5 == 0 ? "other" : "mail");
}

TEST(stored_spans, begin_anew_once_they_are_cleared) {
  stored_spans stored;
  const auto mail = queue_named("mail");
  for (std::uint8_t i = 0; i < 10; ++i) add_number(stored, i, *mail);
  stored.clear();
  EXPECT_TRUE(stored.empty());
  EXPECT_TRUE(all_of(stored).empty());
  EXPECT_EQ(mail.use_count(), 1);
  add_number(stored, 7, *mail);
  ASSERT_EQ(stored.size(), 1u);
  expect_number(all_of(stored).at(0), 7, "mail");
}

}  // namespace
}  // namespace quarq::otlp::stored_spans_tests
