// Bytes that arq itself wrote are read, and ours are the same.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "unit/broker/arq/payload/payload_helpers.hpp"
#include "unit/broker/arq/payload/vectors.hpp"

namespace quarq::broker::arq::payload_tests {

namespace {

constexpr const char* value_error =
    "8c086275696c74696e73948c0a56616c75654572726f729493948c04626f6f6d9485945294";
constexpr const char* max_retries =
    "8c0a6172712e776f726b6572948c124a6f62457865637574696f6e4661696c65649493948c166d61782035207265747269657320"
    "65786365"
    "656465649485945294";
constexpr const char* cancelled_error =
    "8c126173796e63696f2e657863657074696f6e73948c0e43616e63656c6c65644572726f72949394295294";
constexpr const char* timeout_error = "8c086275696c74696e73948c0c54696d656f75744572726f72949394295294";

TEST(arq_vectors, jobs_are_read) {
  for (const auto& [codec, payload] : the_jobs) {
    const auto job = arq_payloads(codec).read_job(payload);
    const auto record = model::decode_record(job.record);
    EXPECT_EQ(record.task, "the_task");
    EXPECT_EQ(codecs::to_json(record.arguments), R"([1, "x"])");
    EXPECT_EQ(codecs::to_json(record.keywords), R"({"a": true})");
    EXPECT_EQ(job.enqueued_ms, 1'700'000'000'000);
    EXPECT_EQ(job.try_at_least, 0);
    EXPECT_FALSE(job.expires_at_ms);
  }
}

TEST(arq_vectors, a_job_s_try_is_read) {
  EXPECT_EQ(arq_payloads(arq_codec::pickle).read_job(tried_three_times).try_at_least, 3);
  const auto record = read_record(arq_codec::pickle, tried_three_times);
  EXPECT_EQ(codecs::to_json(record.arguments), "[]");
  EXPECT_EQ(record.keywords, "");
}

TEST(arq_vectors, an_integer_that_does_not_fit_is_named) {
  EXPECT_EQ(job_error(arq_codec::pickle, nested),
            "job payload: byte 92: an int of 9 bytes does not fit 64 bits");
}

TEST(arq_vectors, results_are_read) {
  for (const auto codec : {arq_codec::pickle, arq_codec::msgpack}) {
    const auto& payload = codec == arq_codec::pickle ? result_pickle : result_msgpack;
    const auto raw = arq_payloads(codec).read_end(payload);
    EXPECT_EQ(raw.queue, "arq:queue");
    EXPECT_EQ(raw.id, "id1");
    const auto [state, o] = read_end(codec, payload);
    EXPECT_EQ(state, job_state::succeeded);
    EXPECT_EQ(o.task, "the_task");
    EXPECT_EQ(o.attempts, 1);
    EXPECT_EQ(codecs::to_json(o.result), "42");
    EXPECT_EQ(o.enqueued_ms, 1'700'000'000'000);
    EXPECT_EQ(o.started_ms, 1'700'000'000'100);
    EXPECT_EQ(o.finished_ms, 1'700'000'000'200);
    EXPECT_EQ(o.error_type, "");
  }
}

TEST(arq_vectors, failures_are_read) {
  const auto expect = [](const char* exception, job_state state, const char* type, const char* message) {
    const auto got = read_end(arq_codec::pickle, failure(exception));
    EXPECT_EQ(got.state, state) << type;
    EXPECT_EQ(got.outcome.error_type, type);
    EXPECT_EQ(got.outcome.error, message);
    EXPECT_EQ(got.outcome.result, "");
  };
  expect(value_error, job_state::failed, "ValueError", "boom");
  expect(max_retries, job_state::dead, "arq.worker.JobExecutionFailed", "max 5 retries exceeded");
  expect(cancelled_error, job_state::cancelled, "quarq::cancelled", "");
  expect(timeout_error, job_state::failed, "quarq::timed_out", "the_task timed out");
}

TEST(arq_vectors, msgpack_is_written_byte_for_byte) {
  arq_payloads payloads(arq_codec::msgpack);
  auto record = plain_record();
  record.keywords = codecs::json_to_msgpack(R"({"a": true})");
  EXPECT_EQ(hex(payloads.write_job({model::encode(record), 1'700'000'000'000, {}, {}})),
            hex(the_jobs.back().second));
  auto outcome = plain_outcome();
  outcome.result = to_msgpack(42);
  const auto bytes = codecs::json_to_msgpack(
      R"({"f": "the_task", "t": 1, "et": 1700000000000, "st": 1700000000100, "ft": 1700000000200, "r": 42})");
  EXPECT_EQ(hex(payloads.write_end({model::encode(record), bytes, job_state::succeeded, "arq:queue", "id1"})),
            hex(result_msgpack));
}

}  // namespace

}  // namespace quarq::broker::arq::payload_tests
