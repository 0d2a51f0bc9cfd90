#include "http/client/resend.hpp"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::http {
namespace {

using namespace std::chrono_literals;

TEST(http_resend, goes_by_gos_rule) {
  for (int bits = 0; bits < 32; ++bits) {
    broken_connection facts;
    facts.reused = bits & 1;
    facts.answer_has_begun = bits & 2;
    facts.request_was_written = bits & 4;
    facts.idempotent = bits & 8;
    facts.body_can_be_sent_again = bits & 16;
    const bool expected = facts.reused && !facts.answer_has_begun && facts.body_can_be_sent_again &&
                          (facts.idempotent || !facts.request_was_written);
    EXPECT_EQ(goes_to_another_connection(facts), expected) << bits;
  }
}

TEST(http_resend, a_post_that_may_have_arrived_is_not_repeated) {
  broken_connection post;
  post.reused = true;
  post.request_was_written = true;
  EXPECT_FALSE(goes_to_another_connection(post));
  post.request_was_written = false;
  EXPECT_TRUE(goes_to_another_connection(post));
}

TEST(http_resend, these_methods_may_be_repeated) {
  for (const auto* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
    EXPECT_TRUE(is_idempotent(method));
  for (const auto* method : {"POST", "PATCH", "CONNECT", "get", "", "GETX"})
    EXPECT_FALSE(is_idempotent(method));
}

struct retry_row {
  const char* what;
  failed_attempt facts;
  std::optional<std::chrono::milliseconds> pause;
};

failed_attempt of_get() {
  failed_attempt facts;
  facts.idempotent = true;
  facts.until_deadline = 30s;
  facts.random = 0.5;
  return facts;
}

TEST(http_retries, pause_or_not) {
  retry_policy policy;
  policy.max_attempts = 8;
  std::vector<retry_row> rows;
  const auto add = [&](const char* what, std::optional<std::chrono::milliseconds> pause, auto change) {
    auto facts = of_get();
    change(facts);
    rows.push_back({what, facts, pause});
  };
  using facts = failed_attempt;
  add("no answer", 200ms, [](facts&) {});
  add("second", 400ms, [](facts& f) { f.attempt = 2; });
  add("seventh", 10s, [](facts& f) { f.attempt = 7; });
  add("last", std::nullopt, [](facts& f) { f.attempt = 8; });
  add("least", 160ms, [](facts& f) { f.random = 0; });
  add("500", std::nullopt, [](facts& f) { f.status = 500; });
  add("200", std::nullopt, [](facts& f) { f.status = 200; });
  add("404", std::nullopt, [](facts& f) { f.status = 404; });
  add("429", 200ms, [](facts& f) { f.status = 429; });
  add("502", 200ms, [](facts& f) { f.status = 502; });
  add("503", 200ms, [](facts& f) { f.status = 503; });
  add("504", 200ms, [](facts& f) { f.status = 504; });
  add("Retry-After", 3s, [](facts& f) { f.status = 503, f.retry_after = 3s; });
  add("shorter Retry-After", 200ms, [](facts& f) { f.status = 503, f.retry_after = 0s; });
  add("Retry-After past the deadline", std::nullopt, [](facts& f) { f.status = 503, f.retry_after = 30s; });
  add("deadline", std::nullopt, [](facts& f) { f.until_deadline = 200ms; });
  add("POST that arrived", std::nullopt, [](facts& f) { f.idempotent = false; });
  add("POST with 503", std::nullopt, [](facts& f) { f.idempotent = false, f.status = 503; });
  add("POST that did not", 200ms, [](facts& f) { f.idempotent = false, f.may_have_arrived = false; });
  add("stream", std::nullopt, [](facts& f) { f.body_can_be_sent_again = false; });
  for (const auto& row : rows) {
    retry_budget budget;
    EXPECT_EQ(pause_before_retry(policy, row.facts, budget), row.pause) << row.what;
  }
}

TEST(http_retries, there_are_none_by_default) {
  retry_budget budget;
  EXPECT_EQ(pause_before_retry(retry_policy{}, of_get(), budget), std::nullopt);
}

TEST(http_retries, the_budget_ends_them_where_most_requests_fail) {
  retry_policy policy;
  policy.max_attempts = 100;
  retry_budget budget;
  int retries = 0;
  for (int i = 0; i < 1000; ++i) retries += pause_before_retry(policy, of_get(), budget).has_value();
  EXPECT_EQ(retries, 5);
  for (int i = 0; i < 70; ++i) budget.succeeded();
  EXPECT_TRUE(pause_before_retry(policy, of_get(), budget));
}

TEST(http_retries, one_failure_in_twenty_is_always_retried) {
  retry_policy policy;
  policy.max_attempts = 2;
  retry_budget budget;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(pause_before_retry(policy, of_get(), budget));
    for (int j = 0; j < 19; ++j) budget.succeeded();
  }
}

}  // namespace
}  // namespace quarq::http
