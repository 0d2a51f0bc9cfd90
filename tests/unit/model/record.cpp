// The two documents that brokers keep for jobs, and what happens to bytes that are none.
#include "model/record.hpp"

#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

namespace quarq::model {
namespace {

using namespace std::chrono_literals;

record full_record() {
  record r;
  r.task = "count_words";
  r.arguments = encode_arguments(std::string("http://example.org"), 3);
  r.timeout = 90s;
  r.max_attempts = 8;
  r.backoff = backoff::exponential(1500ms, 5min).jitter(0.5);
  r.keep_result = 24h;
  r.labels = std::make_shared<const quarq::detail::labels>(
      quarq::detail::labels{{{"traceparent", "00-1"}, {"customer", "42"}}, {"urgent", "invoice"}, 3});
  return r;
}

outcome full_outcome() {
  outcome o;
  o.task = "count_words";
  o.attempts = 3;
  o.worker = "host:4711";
  o.enqueued_ms = 1'700'000'000'000;
  o.started_ms = 1'700'000'000'001;
  o.finished_ms = 1'700'000'000'002;
  o.result = to_msgpack(42);
  o.error_type = "std::runtime_error";
  o.error = "bytes of any kind: \xff\xfe";
  return o;
}

/// what() of the decode_error that decoding these bytes as a record throws.
std::string record_error(const std::string& bytes) {
  try {
    decode_record(bytes);
  } catch (const decode_error& e) {
    return e.what();
  }
  return "no error";
}

/// A record with this key and value beside what it needs.
template <class T>
std::string record_with(std::string_view key, const T& value) {
  std::string out;
  encoder e(out);
  e.map(3);
  e.text("f");
  e.text("t");
  e.text("a");
  e.array(0);
  e.text(key);
  encode(e, value);
  return out;
}

TEST(record, everything_set_comes_back) {
  const auto r = full_record();
  const auto back = decode_record(encode(r));
  EXPECT_EQ(back.task, r.task);
  EXPECT_EQ(back.arguments, r.arguments);
  EXPECT_EQ(back.timeout, r.timeout);
  EXPECT_EQ(back.max_attempts, r.max_attempts);
  ASSERT_TRUE(back.backoff);
  EXPECT_EQ(*back.backoff, *r.backoff);
  EXPECT_EQ(back.keep_result, r.keep_result);
  ASSERT_TRUE(back.labels);
  EXPECT_EQ(*back.labels, *r.labels);
}

TEST(record, what_is_not_set_stays_unset) {
  record r;
  r.task = "t";
  r.arguments = encode_arguments();
  const auto back = decode_record(encode(r));
  EXPECT_EQ(back.task, "t");
  EXPECT_EQ(back.arguments, encode_arguments());
  EXPECT_FALSE(back.timeout);
  EXPECT_FALSE(back.max_attempts);
  EXPECT_FALSE(back.backoff);
  EXPECT_FALSE(back.keep_result);
  EXPECT_FALSE(back.labels);
}

TEST(record, a_result_kept_for_ever_is_kept_for_ever) {
  auto r = full_record();
  r.keep_result = forever;
  EXPECT_EQ(decode_record(encode(r)).keep_result, forever);
  r.keep_result = 0ms;
  EXPECT_EQ(decode_record(encode(r)).keep_result, 0ms);
}

TEST(record, keys_of_later_versions_are_skipped) {
  EXPECT_EQ(decode_record(record_with("from the future", std::vector<int>{1, 2, 3})).task, "t");
}

TEST(record, what_is_missing_is_named) {
  std::string no_task;
  encoder e(no_task);
  e.map(1);
  e.text("a");
  e.array(0);
  EXPECT_EQ(record_error(no_task), "job payload: field f (the task's name) is missing");
  std::string no_arguments;
  encoder f(no_arguments);
  f.map(1);
  f.text("f");
  f.text("t");
  EXPECT_EQ(record_error(no_arguments), "job payload: field a (the arguments) is missing");
}

TEST(record, what_is_wrong_is_named) {
  const auto largest = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::pair<std::string, std::string>> rows = {
      {to_msgpack(7), "job payload: expected map, got integer"},
      {"", "job payload: "},
      {record_with("f", 5), "field f: expected string"},
      {record_with("a", std::string("x")), "field a: expected array, got string"},
      {record_with("timeout", std::string("x")), "field timeout: expected integer, got string"},
      {record_with("timeout", -1), "field timeout: "},
      {record_with("timeout", largest), "field timeout: "},
      {record_with("tries", 0), "field tries: "},
      {record_with("tries", largest), "field tries: "},
      {record_with("keep", -2), "field keep: "},
      {record_with("keep", largest), "field keep: "},
      {record_with("h", 1), "field h: expected map"},
      {record_with("tags", std::vector<int>{1}), "tags[0]"},
      {record_with("v", -1), "field v: "},
      {record_with("backoff", 1), "field backoff: expected array"},
      {record_with("backoff", std::tuple(1, 2, 3.0)), "backoff"},
      {record_with("backoff", std::tuple(-1, 2, 3.0, 0.1)), "backoff[0]"},
      {record_with("backoff", std::tuple(1, largest, 3.0, 0.1)), "backoff[1]"},
      {record_with("backoff", std::tuple(1, 2, std::string("x"), 0.1)), "backoff[2]"},
      {encode(full_record()) + "\xc0", "job payload: "},
  };
  for (const auto& [bytes, error] : rows) {
    const auto got = record_error(bytes);
    EXPECT_EQ(got.rfind("job payload: ", 0), 0u) << got;
    EXPECT_NE(got.find(error), std::string::npos) << "expected " << error << " in: " << got;
  }
}

TEST(record, every_prefix_is_refused) {
  const auto whole = encode(full_record());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(record_error(whole.substr(0, size)).rfind("job payload: ", 0), 0u)
        << "cut to " << size << " bytes";
  }
}

TEST(record, damaged_bytes_are_decoded_or_refused_and_nothing_else) {
  std::mt19937 random(20240229);
  const auto whole = encode(full_record());
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = whole;
    for (int changes = 1 + i % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto error = record_error(bytes);
    if (error == "no error") continue;
    ++refused;
    ASSERT_EQ(error.rfind("job payload: ", 0), 0u) << error;
  }
  EXPECT_GT(refused, 1'000u);
}

TEST(outcome, everything_set_comes_back) {
  const auto o = full_outcome();
  const auto back = decode_outcome(encode(o));
  EXPECT_EQ(back.task, o.task);
  EXPECT_EQ(back.attempts, o.attempts);
  EXPECT_EQ(back.worker, o.worker);
  EXPECT_EQ(back.enqueued_ms, o.enqueued_ms);
  EXPECT_EQ(back.started_ms, o.started_ms);
  EXPECT_EQ(back.finished_ms, o.finished_ms);
  EXPECT_EQ(back.result, o.result);
  EXPECT_EQ(back.error_type, o.error_type);
  EXPECT_EQ(back.error, o.error);
}

outcome failed_attempt(int number, std::string error = "HTTP 503") {
  outcome o;
  o.task = "t";
  o.attempts = number;
  o.worker = "host:4711";
  o.started_ms = 1'000 * number;
  o.finished_ms = o.started_ms + 5;
  o.error_type = "std::runtime_error";
  o.error = std::move(error);
  return o;
}

TEST(outcome, an_attempt_adds_to_those_before_it) {
  outcome last = failed_attempt(1);
  for (int number = 2; number <= 4; ++number) {
    auto next = failed_attempt(number);
    add_earlier_attempts(next, encode(last));
    last = next;
  }
  const auto back = decode_outcome(encode(last));
  ASSERT_EQ(back.earlier.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto& one = back.earlier[static_cast<std::size_t>(i)];
    EXPECT_EQ(one.number, i + 1);
    EXPECT_EQ(one.worker, "host:4711");
    EXPECT_EQ(one.started_ms, 1'000 * (i + 1));
    EXPECT_EQ(one.finished_ms, one.started_ms + 5);
    EXPECT_EQ(one.error_type, "std::runtime_error");
    EXPECT_EQ(one.error, "HTTP 503");
  }
}

TEST(outcome, of_very_many_attempts_the_latest_are_kept) {
  outcome last = failed_attempt(1);
  for (int number = 2; number <= 50; ++number) {
    auto next = failed_attempt(number);
    add_earlier_attempts(next, encode(last));
    last = next;
  }
  ASSERT_EQ(last.earlier.size(), max_earlier_attempts);
  EXPECT_EQ(last.earlier.front().number, 41);
  EXPECT_EQ(last.earlier.back().number, 49);
}

TEST(outcome, of_attempts_with_long_errors_no_more_than_their_bounds_is_kept) {
  outcome last = failed_attempt(1, std::string(70'000, 'x'));
  for (int number = 2; number <= 20; ++number) {
    auto next = failed_attempt(number, std::string(70'000, 'x'));
    next.error_type = std::string(1'000, 'y');
    add_earlier_attempts(next, encode(last));
    last = next;
  }
  EXPECT_EQ(last.earlier.back().error.size(), max_earlier_error);
  EXPECT_EQ(last.earlier.back().error_type.size(), max_earlier_error_type);
  EXPECT_EQ(last.earlier.back().number, 19);
  last.error.clear();
  EXPECT_LT(encode(last).size(), max_earlier_bytes + 2'000);
}

TEST(outcome, a_last_one_that_can_not_be_read_adds_nothing) {
  auto next = failed_attempt(2);
  add_earlier_attempts(next, "nonsense");
  EXPECT_TRUE(next.earlier.empty());
}

TEST(outcome, nothing_set_comes_back_as_nothing) {
  const auto back = decode_outcome(encode(outcome{}));
  EXPECT_EQ(back.task, "");
  EXPECT_EQ(back.result, "");
  EXPECT_EQ(back.error, "");
}

TEST(outcome, every_prefix_is_refused) {
  const auto whole = encode(full_outcome());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(decode_outcome(whole.substr(0, size)), decode_error) << "cut to " << size << " bytes";
  }
}

}  // namespace
}  // namespace quarq::model
