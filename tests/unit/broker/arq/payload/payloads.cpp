// What arq keeps for jobs and results, read and written in both codecs.
#include "broker/arq/payload/payloads.hpp"

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "codecs/python/pickle.hpp"
#include "model/record.hpp"
#include "unit/codecs/codec_helpers.hpp"

namespace quarq::broker::arq {
namespace {

using namespace std::chrono_literals;
using testing::error_of;
using testing::from_hex;
using testing::hex;

// Made by arq itself: the_task(1, "x", a=True), enqueued at 1 700 000 000 000.
const std::vector<std::pair<arq_codec, std::string>> the_jobs = {
    {arq_codec::pickle,
     from_hex("8004953c000000000000007d94288c0174944e8c0166948c087468655f7461736b948c0161944b018c01"
              "789486948c016b947d94680488738c026574948a060068e5cf8b01752e")},
    {arq_codec::pickle,
     from_hex("8005953c000000000000007d94288c0174944e8c0166948c087468655f7461736b948c0161944b018c01"
              "789486948c016b947d94680488738c026574948a060068e5cf8b01752e")},
    {arq_codec::pickle,
     from_hex("80027d71002858010000007471014e580100000066710258080000007468655f7461736b710358010000006171044b"
              "01580100"
              "000078710586710658010000006b71077d7108680488735802000000657471098a060068e5cf8b01752e")},
    {arq_codec::msgpack,
     from_hex("85a174c0a166a87468655f7461736ba1619201a178a16b81a161c3a26574cf0000018bcfe56800")},
};
const std::string tried_three_times = from_hex(
    "80049532000000000000007d94288c0174944b038c0166948c087468655f7461736b948c016194298c016b947d948c026574948a"
    "060068e5"
    "cf8b01752e");
const std::string nested = from_hex(
    "80049571000000000000007d94288c0174944e8c01669468028c016194285d94284b014740040000000000004e430200ff948c02"
    "c3a99465"
    "7d948c016b945d9428888965734afbffffff8a0500000080008a090000000000000080008a09000000000000000040749468087d"
    "948c0265"
    "74948a060068e5cf8b01752e");
// The first job's result 42: id1, try 1, started 100 ms after it was enqueued, finished 100 ms later.
const std::string result_pickle = from_hex(
    "8004957d000000000000007d94288c0174944b018c0166948c087468655f7461736b948c0161944b018c01789486948c016b947d"
    "94680488"
    "738c026574948a060068e5cf8b018c017394888c0172944b2a8c027374948a066468e5cf8b018c026674948a06c868e5cf8b018c"
    "0171948c"
    "096172713a7175657565948c026964948c0369643194752e");
const std::string result_msgpack = from_hex(
    "8ba17401a166a87468655f7461736ba1619201a178a16b81a161c3a26574cf0000018bcfe56800a173c3a1722aa27374cf000001"
    "8bcfe568"
    "64a26674cf0000018bcfe568c8a171a96172713a7175657565a26964a3696431");

/// The pickle of a result that arq wrote of a failure: `exception` stands for r, `success` for s.
std::string failure(std::string_view exception) {
  // Without its frame and with False for True; PROTO 4 stays.
  std::string payload = "\x80\x04" + result_pickle.substr(11);
  const auto success = payload.find("\x8c\x01s\x94\x88");
  payload[success + 4] = '\x89';
  const std::string r = "\x8c\x01r\x94";
  payload.replace(payload.find(r) + r.size(), 2, from_hex(exception));
  return payload;
}

constexpr const char* value_error =
    "8c086275696c74696e73948c0a56616c75654572726f729493948c04626f6f6d9485945294";
constexpr const char* max_retries =
    "8c0a6172712e776f726b6572948c124a6f62457865637574696f6e4661696c65649493948c166d61782035207265747269657320"
    "65786365"
    "656465649485945294";
constexpr const char* cancelled_error =
    "8c126173796e63696f2e657863657074696f6e73948c0e43616e63656c6c65644572726f72949394295294";
constexpr const char* timeout_error = "8c086275696c74696e73948c0c54696d656f75744572726f72949394295294";

model::record read_record(arq_codec codec, std::string_view payload) {
  return model::decode_record(arq_payloads(codec).read_job(payload).record);
}

std::string job_error(arq_codec codec, std::string_view payload) {
  return error_of<decode_error>([&] { arq_payloads(codec).read_job(payload); });
}

std::string end_error(arq_codec codec, std::string_view payload) {
  return error_of<decode_error>([&] { arq_payloads(codec).read_end(payload); });
}

struct read_back {
  job_state state;
  model::outcome outcome;
};

read_back read_end(arq_codec codec, std::string_view payload) {
  const auto end = arq_payloads(codec).read_end(payload);
  return {end.state, model::decode_outcome(end.outcome)};
}

/// As the payload of either codec.
std::string payload_of(arq_codec codec, std::string_view json) {
  const std::string msgpack = codecs::json_to_msgpack(json);
  return codec == arq_codec::pickle ? codecs::python::msgpack_to_pickle(msgpack, "test") : msgpack;
}

/// The payload of either codec as JSON.
std::string json_of(arq_codec codec, std::string_view payload) {
  return codecs::to_json(codec == arq_codec::pickle ? codecs::python::pickle_to_msgpack(payload, "test")
                                                    : std::string(payload));
}

model::record plain_record() {
  model::record r;
  r.task = "the_task";
  r.arguments = encode_arguments(1, std::string("x"));
  return r;
}

model::outcome plain_outcome() {
  model::outcome o;
  o.task = "the_task";
  o.attempts = 1;
  o.worker = "host:4711";
  o.enqueued_ms = 1'700'000'000'000;
  o.started_ms = 1'700'000'000'100;
  o.finished_ms = 1'700'000'000'200;
  return o;
}

model::outcome failed_outcome(std::string type, std::string error) {
  auto o = plain_outcome();
  o.error_type = std::move(type);
  o.error = std::move(error);
  return o;
}

class arq_payload : public ::testing::TestWithParam<arq_codec> {
 protected:
  arq_codec codec() const { return GetParam(); }
  bool is_pickle() const { return codec() == arq_codec::pickle; }

  std::string write_end(const model::record& r, const model::outcome& o, job_state state) {
    const std::string record = model::encode(r), outcome = model::encode(o);
    return payloads_.write_end({record, outcome, state, "arq:queue", "id1"});
  }

  /// Result r, as Python has it.
  std::string result_in_python(const model::outcome& o, job_state state) {
    decoder in(to_msgpack_(write_end(plain_record(), o, state)));
    return member("r");
  }

  read_back there_and_back(const model::outcome& o, job_state state) {
    return read_end(codec(), write_end(plain_record(), o, state));
  }

  arq_payloads payloads_{GetParam()};

 private:
  const std::string& to_msgpack_(const std::string& payload) {
    msgpack_ = is_pickle() ? codecs::python::pickle_to_msgpack(payload, "test") : payload;
    return msgpack_;
  }
  std::string member(std::string_view name) {
    decoder in(msgpack_);
    for (std::size_t left = in.map(); left > 0; --left) {
      const bool found = in.text() == name;
      const auto value = in.raw();
      if (found) return codecs::to_json(value);
    }
    return "missing";
  }

  std::string msgpack_;
};

INSTANTIATE_TEST_SUITE_P(in, arq_payload, ::testing::Values(arq_codec::pickle, arq_codec::msgpack),
                         [](const auto& codec) {
                           return codec.param == arq_codec::pickle ? "pickle" : "msgpack";
                         });

// ---- arq's own bytes

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

// ---- jobs

TEST_P(arq_payload, a_job_is_written_as_arq_s_and_read_back) {
  const auto record = model::encode(plain_record());
  const auto payload = payloads_.write_job({record, 1'700'000'000'000, 3, {}});
  EXPECT_EQ(json_of(codec(), payload),
            R"({"t": 3, "f": "the_task", "a": [1, "x"], "k": {}, "et": 1700000000000})");
  const auto back = payloads_.read_job(payload);
  EXPECT_EQ(hex(back.record), hex(record));
  EXPECT_EQ(back.enqueued_ms, 1'700'000'000'000);
  EXPECT_EQ(back.try_at_least, 3);
}

TEST_P(arq_payload, our_own_options_travel_along) {
  auto r = plain_record();
  r.timeout = 90s;
  r.max_attempts = 8;
  r.backoff = backoff::exponential(1500ms, 5min).jitter(0.5);
  r.keep_result = 24h;
  r.awaited = true;
  r.keywords = codecs::json_to_msgpack(R"({"depth": 3})");
  const auto record = model::encode(r);
  const auto payload = payloads_.write_job({record, 1'700'000'000'000, {}, 1'700'000'009'000});
  EXPECT_EQ(json_of(codec(), payload),
            R"({"t": null, "f": "the_task", "a": [1, "x"], "k": {"depth": 3}, "et": 1700000000000, )"
            R"("quarq": {"timeout": 90000, "tries": 8, "backoff": [1500, 300000, 2.0, 0.5], "await": true, )"
            R"("keep": 86400000, "expires_at": 1700000009000}})");
  const auto back = payloads_.read_job(payload);
  EXPECT_EQ(back.expires_at_ms, 1'700'000'009'000);
  EXPECT_EQ(model::encode(model::decode_record(back.record)), record);
}

TEST_P(arq_payload, options_can_t_replace_the_job) {
  const auto payload = payload_of(
      codec(),
      R"({"t": null, "f": "good", "a": [], "k": {}, "et": 1, "quarq": {"f": "bad", "a": [1], "k": {"x": 1},
                  "unreadable": "x", "tries": 2, "of later versions": [1]}})");
  const auto r = read_record(codec(), payload);
  EXPECT_EQ(r.task, "good");
  EXPECT_EQ(codecs::to_json(r.arguments), "[]");
  EXPECT_EQ(r.keywords, "");
  EXPECT_EQ(r.max_attempts, 2);
}

TEST_P(arq_payload, keys_may_come_in_any_order_and_unknown_ones_are_skipped) {
  const auto r = read_record(
      codec(),
      payload_of(codec(), R"({"new": {"a": [1]}, "et": 1, "k": {}, "a": [7], "f": "g", "t": null})"));
  EXPECT_EQ(r.task, "g");
  EXPECT_EQ(codecs::to_json(r.arguments), "[7]");
}

TEST_P(arq_payload, what_is_wrong_with_a_job_is_named) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {R"([1])", "job payload: expected map, got array"},
      {R"({"f": "g", "a": [], "k": {}, "et": 1})", "job payload: key t is missing"},
      {R"({"t": null, "a": [], "k": {}, "et": 1})", "job payload: key f is missing"},
      {R"({"t": null, "f": "g", "k": {}, "et": 1})", "job payload: key a is missing"},
      {R"({"t": null, "f": "g", "a": [], "et": 1})", "job payload: key k is missing"},
      {R"({"t": null, "f": "g", "a": [], "k": {}})", "job payload: key et is missing"},
      {R"({"t": "1", "f": "g", "a": [], "k": {}, "et": 1})",
       R"(job payload: field t: expected integer, got string)"},
      {R"({"t": null, "f": null, "a": [], "k": {}, "et": 1})",
       R"(job payload: field f: expected string, got nil)"},
      {R"({"t": null, "f": "g", "a": {}, "k": {}, "et": 1})",
       R"(job payload: field a: expected array, got map)"},
      {R"({"t": null, "f": "g", "a": [], "k": [], "et": 1})",
       R"(job payload: field k: expected map, got array)"},
      {R"({"t": null, "f": "g", "a": [], "k": {}, "et": "soon"})",
       R"(job payload: field et: expected integer, got string)"},
      {R"({"t": null, "f": "g", "a": [], "k": {}, "et": -1})",
       R"(job payload: field et: expected integer from 0 to 253402300799999, got -1)"},
      {R"({"t": null, "f": "g", "a": [], "k": {}, "et": 1, "quarq": 1})",
       R"(job payload: field quarq: expected map, got integer)"},
      {R"({"t": null, "f": "g", "a": [], "k": {}, "et": 1, "quarq": {"expires_at": "x"}})",
       R"(job payload: field quarq.expires_at: expected integer, got string)"},
  };
  for (const auto& [json, error] : rows) {
    EXPECT_EQ(job_error(codec(), payload_of(codec(), json)), error) << json;
  }
}

TEST_P(arq_payload, names_of_arguments_are_text) {
  std::string msgpack = codecs::json_to_msgpack(R"({"t": null, "f": "g", "a": [], "et": 1, "k": {"x": 1}})");
  msgpack[msgpack.size() - 3] = '\x01';  // {1: 'x', ... would be one byte too long
  msgpack[msgpack.size() - 2] = '\x02';
  msgpack.pop_back();
  const auto payload = is_pickle() ? codecs::python::msgpack_to_pickle(msgpack, "test") : msgpack;
  EXPECT_EQ(job_error(codec(), payload), "job payload: field k: key 1: expected string, got integer");
}

TEST_P(arq_payload, a_payload_in_the_other_codec_says_so) {
  const auto other = is_pickle() ? arq_codec::msgpack : arq_codec::pickle;
  const std::string expected = is_pickle() ? "this is msgpack, but ?codec= of the broker's URL says pickle"
                                           : "this is a pickle, but ?codec= of the broker's URL says msgpack";
  for (const auto& [written_in, payload] : the_jobs) {
    if (written_in != other) continue;
    EXPECT_EQ(job_error(codec(), payload), "job payload: " + expected);
  }
  EXPECT_EQ(end_error(codec(), is_pickle() ? result_msgpack : result_pickle), "result payload: " + expected);
}

TEST(arq_payload_pickle, protocol_0_is_known_as_a_pickle) {
  const std::string oldest = "(dp0\nVt\np1\nNsVf\np2\nVg\np3\nsVa\np4\n(lp5\nsVk\np6\n(dp7\nsVet\np8\nI1\ns.";
  EXPECT_EQ(read_record(arq_codec::pickle, oldest).task, "g");
  EXPECT_EQ(job_error(arq_codec::msgpack, oldest),
            "job payload: this is a pickle, but ?codec= of the broker's URL says msgpack");
}

TEST(arq_payload_pickle, an_unknown_global_is_named_and_not_called) {
  std::string payload =
      "\x80\x04}(\x8c\x01t"
      "N\x8c\x01"
      "fcos\nsystem\n\x8c\x04true\x85Ru.";
  EXPECT_EQ(job_error(arq_codec::pickle, payload), "job payload: byte 11: unknown global os.system");
}

TEST(arq_payload_pickle, what_a_pickle_can_t_hold_is_refused_where_it_is_written) {
  auto r = plain_record();
  r.arguments.clear();
  encoder out(r.arguments);
  out.array(2);
  out.integer(1);
  out.extension(5, "xyz");
  const auto record = model::encode(r);
  EXPECT_EQ(error_of<usage_error>(
                [&] { arq_payloads(arq_codec::pickle).write_job({record, 1'700'000'000'000, {}, {}}); }),
            "the_task: arguments: element [1]: an extension of type 5 has no counterpart in Python");
  EXPECT_EQ(read_record(arq_codec::msgpack,
                        arq_payloads(arq_codec::msgpack).write_job({record, 1'700'000'000'000, {}, {}}))
                .arguments,
            r.arguments);
}

TEST_P(arq_payload, every_prefix_is_refused) {
  const auto record = model::encode(plain_record());
  const auto job = payloads_.write_job({record, 1'700'000'000'000, {}, 1'700'000'009'000});
  for (std::size_t size = 0; size < job.size(); ++size) {
    EXPECT_EQ(job_error(codec(), job.substr(0, size)).rfind("job payload: ", 0), 0u) << size;
  }
  const auto end = write_end(plain_record(), failed_outcome("my::error", "x"), job_state::failed);
  for (std::size_t size = 0; size < end.size(); ++size) {
    EXPECT_EQ(end_error(codec(), end.substr(0, size)).rfind("result payload: ", 0), 0u) << size;
  }
}

TEST_P(arq_payload, damaged_bytes_are_read_or_refused_and_nothing_else) {
  std::mt19937 random(20240229);
  const auto record = model::encode(plain_record());
  const std::string wholes[] = {
      payloads_.write_job({record, 1'700'000'000'000, {}, 1'700'000'009'000}),
      write_end(plain_record(), failed_outcome("std::invalid_argument", "x"), job_state::dead)};
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = wholes[i % 2];
    for (int changes = 1 + i % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto error = i % 2 == 0 ? job_error(codec(), bytes) : end_error(codec(), bytes);
    if (error == "(no error)") continue;
    ++refused;
    ASSERT_EQ(error.rfind(i % 2 == 0 ? "job payload: " : "result payload: ", 0), 0u) << error;
  }
  EXPECT_GT(refused, 1'000u);
}

// ---- results

TEST_P(arq_payload, a_result_is_written_as_arq_s_and_read_back) {
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

TEST_P(arq_payload, no_result_is_none) {
  EXPECT_EQ(result_in_python(plain_outcome(), job_state::succeeded), "null");
}

TEST_P(arq_payload, every_failure_comes_back_exactly) {
  const auto o = failed_outcome("my::error", "bytes of any kind: \xff\xfe");
  for (const auto state : {job_state::failed, job_state::dead, job_state::expired, job_state::cancelled}) {
    const auto back = there_and_back(o, state);
    EXPECT_EQ(back.state, state);
    EXPECT_EQ(model::encode(back.outcome), model::encode(o));
  }
}

TEST_P(arq_payload, a_failure_is_an_exception_that_python_knows) {
  struct row {
    model::outcome outcome;
    job_state state;
    const char *pickle, *msgpack;
  };
  auto exhausted =
      failed_outcome("quarq::worker_lost", "the_task was lost with its worker on each of its 3 tries");
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

TEST_P(arq_payload, what_the_worker_of_arq_detects_is_what_ours_says) {
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

TEST_P(arq_payload, a_job_that_nobody_could_read_ends_as_arq_says_it) {
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

TEST_P(arq_payload, a_job_whose_payload_is_gone_ends_as_arq_says_it) {
  const auto record = unknown_record();
  EXPECT_EQ(model::decode_record(record).task, "<unknown>");
  auto o = failed_outcome("quarq::job_expired", "<unknown> expired: no worker started it in time");
  o.task = "<unknown>";
  const auto json = json_of(
      codec(), payloads_.write_end({record, model::encode(o), job_state::expired, "arq:queue", "id1"}));
  EXPECT_NE(json.find(R"("f": "<unknown>", "a": [], "k": {})"), json.npos) << json;
  EXPECT_NE(json.find("job expired"), json.npos) << json;
}

TEST(arq_payload_pickle, a_result_that_python_can_t_have_is_exact_for_us) {
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

TEST(arq_payload_pickle, an_exception_of_any_class_is_the_reason_of_a_failure_but_no_result) {
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

TEST_P(arq_payload, what_is_wrong_with_a_result_is_named) {
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

TEST_P(arq_payload, an_outcome_that_is_none_is_refused) {
  EXPECT_THROW(payloads_.write_end({{}, "\x01", job_state::failed, "q", "id"}), usage_error);
  EXPECT_THROW(payloads_.write_job({"\x01", 1, {}, {}}), usage_error);
}

}  // namespace
}  // namespace quarq::broker::arq
