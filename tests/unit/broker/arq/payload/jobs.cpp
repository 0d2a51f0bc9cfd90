// What arq keeps for a job, written and read in both codecs.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "unit/broker/arq/payload/payload_helpers.hpp"
#include "unit/broker/arq/payload/vectors.hpp"

namespace quarq::broker::arq::payload_tests {

namespace {

class arq_job_payload : public payload_fixture {};

INSTANTIATE_TEST_SUITE_P(in, arq_job_payload, ::testing::Values(arq_codec::pickle, arq_codec::msgpack),
                         [](const auto& codec) {
                           return codec.param == arq_codec::pickle ? "pickle" : "msgpack";
                         });

TEST_P(arq_job_payload, a_job_is_written_as_arq_s_and_read_back) {
  const auto record = model::encode(plain_record());
  const auto payload = payloads_.write_job({record, 1'700'000'000'000, 3, {}});
  EXPECT_EQ(json_of(codec(), payload),
            R"({"t": 3, "f": "the_task", "a": [1, "x"], "k": {}, "et": 1700000000000})");
  const auto back = payloads_.read_job(payload);
  EXPECT_EQ(hex(back.record), hex(record));
  EXPECT_EQ(back.enqueued_ms, 1'700'000'000'000);
  EXPECT_EQ(back.try_at_least, 3);
}

TEST_P(arq_job_payload, our_own_options_travel_along) {
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

TEST_P(arq_job_payload, options_can_t_replace_the_job) {
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

TEST_P(arq_job_payload, keys_may_come_in_any_order_and_unknown_ones_are_skipped) {
  const auto r = read_record(
      codec(),
      payload_of(codec(), R"({"new": {"a": [1]}, "et": 1, "k": {}, "a": [7], "f": "g", "t": null})"));
  EXPECT_EQ(r.task, "g");
  EXPECT_EQ(codecs::to_json(r.arguments), "[7]");
}

TEST_P(arq_job_payload, what_is_wrong_with_a_job_is_named) {
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

TEST_P(arq_job_payload, names_of_arguments_are_text) {
  std::string msgpack = codecs::json_to_msgpack(R"({"t": null, "f": "g", "a": [], "et": 1, "k": {"x": 1}})");
  msgpack[msgpack.size() - 3] = '\x01';  // {1: 'x', ... would be one byte too long
  msgpack[msgpack.size() - 2] = '\x02';
  msgpack.pop_back();
  const auto payload = is_pickle() ? codecs::python::msgpack_to_pickle(msgpack, "test") : msgpack;
  EXPECT_EQ(job_error(codec(), payload), "job payload: field k: key 1: expected string, got integer");
}

TEST_P(arq_job_payload, a_payload_in_the_other_codec_says_so) {
  const auto other = is_pickle() ? arq_codec::msgpack : arq_codec::pickle;
  const std::string expected = is_pickle() ? "this is msgpack, but ?codec= of the broker's URL says pickle"
                                           : "this is a pickle, but ?codec= of the broker's URL says msgpack";
  for (const auto& [written_in, payload] : the_jobs) {
    if (written_in != other) continue;
    EXPECT_EQ(job_error(codec(), payload), "job payload: " + expected);
  }
  EXPECT_EQ(end_error(codec(), is_pickle() ? result_msgpack : result_pickle), "result payload: " + expected);
}

TEST(arq_job_pickle, protocol_0_is_known_as_a_pickle) {
  const std::string oldest = "(dp0\nVt\np1\nNsVf\np2\nVg\np3\nsVa\np4\n(lp5\nsVk\np6\n(dp7\nsVet\np8\nI1\ns.";
  EXPECT_EQ(read_record(arq_codec::pickle, oldest).task, "g");
  EXPECT_EQ(job_error(arq_codec::msgpack, oldest),
            "job payload: this is a pickle, but ?codec= of the broker's URL says msgpack");
}

TEST(arq_job_pickle, an_unknown_global_is_named_and_not_called) {
  std::string payload =
      "\x80\x04}(\x8c\x01t"
      "N\x8c\x01"
      "fcos\nsystem\n\x8c\x04true\x85Ru.";
  EXPECT_EQ(job_error(arq_codec::pickle, payload), "job payload: byte 11: unknown global os.system");
}

TEST(arq_job_pickle, what_a_pickle_can_t_hold_is_refused_where_it_is_written) {
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

TEST_P(arq_job_payload, every_prefix_is_refused) {
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

TEST_P(arq_job_payload, damaged_bytes_are_read_or_refused_and_nothing_else) {
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

}  // namespace

}  // namespace quarq::broker::arq::payload_tests
