// What arq keeps for the result of a job, written and read in both codecs.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "unit/broker/arq/payload/payload_helpers.hpp"
#include "unit/broker/arq/payload/vectors.hpp"

namespace quarq::broker::arq::payload_tests {

namespace {

class arq_result_payload : public payload_fixture {};

INSTANTIATE_TEST_SUITE_P(in, arq_result_payload, ::testing::Values(arq_codec::pickle, arq_codec::msgpack),
                         [](const auto& codec) {
                           return codec.param == arq_codec::pickle ? "pickle" : "msgpack";
                         });

TEST_P(arq_result_payload, a_result_is_written_as_arq_s_and_read_back) {
  auto o = plain_outcome();
  o.result = to_msgpack(std::vector<int>{1, 2});
  auto r = plain_record();
  r.keywords = codecs::json_to_msgpack(R"({"depth": 3})");
  const auto payload = write_end(r, o, job_state::succeeded);
  EXPECT_EQ(json_of(codec(), payload),
            R"({"t": 1, "f": "the_task", "a": [1, "x"], "k": {"depth": 3}, "et": 1700000000000, "s": true, )"
            R"("r": [1, 2], "st": 1700000000100, "ft": 1700000000200, "q": "arq:queue", "id": "id1", )"
            R"("quarq": {"worker": "host:4711"}})");
  const auto back = read_end(codec(), payload);
  EXPECT_EQ(back.state, job_state::succeeded);
  EXPECT_EQ(model::encode(back.outcome), model::encode(o));
}

TEST_P(arq_result_payload, no_result_is_none) {
  EXPECT_EQ(result_in_python(plain_outcome(), job_state::succeeded), "null");
}

TEST_P(arq_result_payload, every_failure_comes_back_exactly) {
  const auto o = failed_outcome("my::error", "bytes of any kind: \xff\xfe");
  for (const auto state : {job_state::failed, job_state::dead, job_state::expired, job_state::cancelled}) {
    const auto back = there_and_back(o, state);
    EXPECT_EQ(back.state, state);
    EXPECT_EQ(model::encode(back.outcome), model::encode(o));
  }
}

TEST_P(arq_result_payload, a_failure_is_an_exception_that_python_knows) {
  struct row {
    model::outcome outcome;
    job_state state;
    const char *pickle, *msgpack;
  };
  auto exhausted = failed_outcome("quarq::retries_exhausted",
                                  "the_task was started 3 times before, and at most 3 starts are allowed");
  exhausted.attempts = 4;
  auto unknown = failed_outcome("quarq::unknown_task", "no handler for task \"the_task\" in worker w");
  const std::vector<row> rows = {
      {failed_outcome("std::invalid_argument", "boom"), job_state::failed,
       R"({"$exception": "ValueError", "args": ["boom"]})", R"("ValueError: boom")"},
      {failed_outcome("my::error", "boom"), job_state::dead,
       R"({"$exception": "RuntimeError", "args": ["my::error: boom"]})", R"("my::error: boom")"},
      {failed_outcome("quarq::timed_out", "too slow"), job_state::failed,
       R"({"$exception": "asyncio.exceptions.TimeoutError", "args": ["too slow"]})",
       R"("TimeoutError: too slow")"},
      {failed_outcome("quarq::cancelled", "the_task was cancelled while it ran"), job_state::cancelled,
       R"({"$exception": "asyncio.exceptions.CancelledError", "args": []})",
       R"("CancelledError: the_task was cancelled while it ran")"},
      {failed_outcome("quarq::job_expired", "the_task expired"), job_state::expired,
       R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["job expired"]})",
       R"("JobExecutionFailed: job expired")"},
      {unknown, job_state::dead,
       R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["function 'the_task' not found"]})",
       R"("JobExecutionFailed: function 'the_task' not found")"},
      {exhausted, job_state::dead,
       R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["max 3 retries exceeded"]})",
       R"("JobExecutionFailed: max 3 retries exceeded")"},
      {failed_outcome("quarq::worker_lost", "the_task was lost with its worker 5 times"), job_state::dead,
       R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["max 5 retries exceeded"]})",
       R"("JobExecutionFailed: max 5 retries exceeded")"},
      {failed_outcome("quarq::worker_lost", "the_task was lost with its worker twice"), job_state::dead,
       R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["max 2 retries exceeded"]})",
       R"("JobExecutionFailed: max 2 retries exceeded")"},
      {failed_outcome("quarq::worker_lost", "a process was killed by signal 9"), job_state::dead,
       R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["a process was killed by signal 9"]})",
       R"("JobExecutionFailed: a process was killed by signal 9")"},
      {failed_outcome("quarq::decode_error", "the_task: argument 1: expected string, got integer"),
       job_state::dead,
       R"({"$exception": "TypeError", "args": ["the_task: argument 1: expected string, got integer"]})",
       R"("TypeError: the_task: argument 1: expected string, got integer")"},
      {failed_outcome("quarq::permanent_failure", "no such account"), job_state::failed,
       R"({"$exception": "RuntimeError", "args": ["no such account"]})",
       R"("RuntimeError: no such account")"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(result_in_python(row.outcome, row.state), is_pickle() ? row.pickle : row.msgpack);
}

TEST_P(arq_result_payload, what_the_worker_of_arq_detects_is_what_ours_says) {
  auto o = failed_outcome("quarq::job_expired", "x");
  // Without our own key, as arq would have written it.
  const auto read_as_arq_s = [&](const char* exception) {
    std::string payload = R"({"t": 1, "f": "g", "a": [], "k": {}, "et": 1, "s": false, "r": )";
    payload += exception;
    payload += R"(, "st": 1, "ft": 2})";
    return read_end(codec(), payload_of(codec(), payload));
  };
  const auto text = read_as_arq_s(R"("unable to serialize result")");
  EXPECT_EQ(text.state, job_state::failed);
  EXPECT_EQ(text.outcome.error_type, "arq.jobs.SerializationError");
  EXPECT_EQ(text.outcome.error, "unable to serialize result");
  const auto expired =
      read_as_arq_s(R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["job expired"]})");
  EXPECT_EQ(expired.state, job_state::expired);
  EXPECT_EQ(expired.outcome.error_type, "quarq::job_expired");
  const auto unknown =
      read_as_arq_s(R"({"$exception": "arq.worker.JobExecutionFailed", "args": ["function 'g' not found"]})");
  EXPECT_EQ(unknown.state, job_state::dead);
  EXPECT_EQ(unknown.outcome.error_type, "quarq::unknown_task");
}

TEST(arq_result_pickle, an_exception_without_arguments_has_its_class_for_a_message) {
  const auto got = read_end(arq_codec::pickle, failure(hex("cbuiltins\nValueError\n)R")));
  EXPECT_EQ(got.outcome.error_type, "ValueError");
  EXPECT_EQ(got.outcome.error, "ValueError()");
}

TEST_P(arq_result_payload, a_function_without_a_name_is_no_unknown_one) {
  auto record = plain_record();
  record.task.clear();
  auto o = plain_outcome();
  o.task.clear();
  const auto json = json_of(codec(), payloads_.write_end({model::encode(record), model::encode(o),
                                                          job_state::succeeded, "q", "id1"}));
  EXPECT_NE(json.find(R"("f": "", "a": [)"), json.npos) << json;
}

TEST_P(arq_result_payload, the_retries_exceeded_are_those_that_the_worker_allows) {
  // Its first start was the seventh, as its payload said.
  auto o = failed_outcome("quarq::worker_lost", "f was lost with its worker 5 times");
  o.attempts = 7;
  const auto written = [&] {
    return json_of(codec(), payloads_.write_end({model::encode(plain_record()), model::encode(o),
                                                 job_state::dead, "q", "id1"}));
  };
  EXPECT_NE(written().find("max 5 retries exceeded"), std::string::npos) << written();
  o.error_type = "quarq::retries_exhausted";
  o.error = "f was started 6 times before, and at most 5 starts are allowed";
  EXPECT_NE(written().find("max 5 retries exceeded"), std::string::npos) << written();
}

TEST_P(arq_result_payload, a_job_that_nobody_could_read_ends_as_arq_says_it) {
  const auto record = unreadable_record("job payload: field et: expected integer, got string");
  EXPECT_EQ(error_of<decode_error>([&] { model::decode_record(record); }),
            "job payload: field et: expected integer, got string");
  auto o = failed_outcome("quarq::decode_error", "job payload: field et: expected integer, got string");
  o.task.clear();
  o.worker.clear();
  const auto payload = payloads_.write_end({record, model::encode(o), job_state::dead, "arq:queue", "id1"});
  const auto json = json_of(codec(), payload);
  EXPECT_NE(json.find(R"("f": "<unknown>", "a": [], "k": {})"), json.npos) << json;
  EXPECT_NE(json.find("unable to deserialize job: job payload: field et: expected integer, got string"),
            json.npos)
      << json;
  if (is_pickle()) {
    EXPECT_NE(json.find(R"({"$exception": "arq.jobs.DeserializationError")"), json.npos) << json;
  }
  EXPECT_EQ(read_end(codec(), payload).outcome.error_type, "quarq::decode_error");
}

// Python may call a function so, and the result names it as arq does.
TEST_P(arq_result_payload, a_function_without_a_name_is_not_an_unknown_one) {
  auto r = plain_record();
  r.task.clear();
  auto o = failed_outcome("quarq::unknown_task", "no handler for task \"\"");
  o.task.clear();
  const auto json = json_of(codec(), write_end(r, o, job_state::dead));
  EXPECT_NE(json.find(R"("f": "", "a": [1, "x"])"), json.npos) << json;
  EXPECT_NE(json.find("function '' not found"), json.npos) << json;
}

TEST_P(arq_result_payload, a_job_whose_payload_is_gone_ends_as_arq_says_it) {
  const auto record = unknown_record();
  EXPECT_EQ(model::decode_record(record).task, "<unknown>");
  auto o = failed_outcome("quarq::job_expired", "<unknown> expired: no worker started it in time");
  o.task = "<unknown>";
  const auto json = json_of(
      codec(), payloads_.write_end({record, model::encode(o), job_state::expired, "arq:queue", "id1"}));
  EXPECT_NE(json.find(R"("f": "<unknown>", "a": [], "k": {})"), json.npos) << json;
  EXPECT_NE(json.find("job expired"), json.npos) << json;
}

TEST(arq_result_pickle, a_result_that_python_can_t_have_is_exact_for_us) {
  arq_payloads payloads(arq_codec::pickle);
  auto o = plain_outcome();
  encoder(o.result).extension(5, "xyz");
  const auto record = model::encode(plain_record()), outcome = model::encode(o);
  const auto payload = payloads.write_end({record, outcome, job_state::succeeded, "arq:queue", "id1"});
  const auto json = json_of(arq_codec::pickle, payload);
  EXPECT_NE(json.find(R"("s": false, "r": "unable to serialize result: value: an extension of type 5)"),
            json.npos)
      << json;
  const auto back = read_end(arq_codec::pickle, payload);
  EXPECT_EQ(back.state, job_state::succeeded);
  EXPECT_EQ(model::encode(back.outcome), outcome);
}

TEST(arq_result_pickle, an_exception_of_any_class_is_the_reason_of_a_failure_but_no_result) {
  const std::string unknown = hex("cmy_shop.errors\nSoldOut\n\x8c\x05shoes\x85R");
  const auto got = read_end(arq_codec::pickle, failure(unknown));
  EXPECT_EQ(got.state, job_state::failed);
  EXPECT_EQ(got.outcome.error_type, "my_shop.errors.SoldOut");
  EXPECT_EQ(got.outcome.error, "shoes");
  std::string success = failure(unknown);
  success[success.find("\x8c\x01s\x94\x89") + 4] = '\x88';
  EXPECT_NE(end_error(arq_codec::pickle, success).find("unknown global my_shop.errors.SoldOut"),
            std::string::npos);
}

TEST_P(arq_result_payload, what_is_wrong_with_a_result_is_named) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {R"([1])", "result payload: expected map, got array"},
      {R"({"t": 1, "f": "g", "a": [], "k": {}, "et": 1, "s": true, "st": 1, "ft": 2})",
       "result payload: key r is missing"},
      {R"({"t": 1, "f": "g", "a": [], "k": {}, "et": 1, "s": 1, "r": 1, "st": 1, "ft": 2})",
       "result payload: field s: expected boolean, got integer"},
      {R"({"t": 1, "f": "g", "a": [], "k": {}, "et": 1, "s": true, "r": 1, "st": "now", "ft": 2})",
       "result payload: field st: expected integer, got string"},
      {R"({"t": 1, "f": "g", "a": [], "k": {}, "et": 1, "s": false, "r": "", "st": 1, "ft": 2,
          "quarq": {"state": "running"}})",
       R"(result payload: field quarq.state: expected the state of an ended job, got "running")"},
  };
  for (const auto& [json, error] : rows)
    EXPECT_EQ(end_error(codec(), payload_of(codec(), json)), error) << json;
}

TEST_P(arq_result_payload, an_outcome_that_is_none_is_refused) {
  EXPECT_THROW(payloads_.write_end({{}, "\x01", job_state::failed, "q", "id"}), usage_error);
  EXPECT_THROW(payloads_.write_job({"\x01", 1, {}, {}}), usage_error);
}

}  // namespace

}  // namespace quarq::broker::arq::payload_tests
