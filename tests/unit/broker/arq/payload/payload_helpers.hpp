// Jobs and results of arq's, written and read in both codecs.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "broker/arq/payload/payloads.hpp"
#include "codecs/json.hpp"
#include "codecs/python/pickle.hpp"
#include "model/record.hpp"
#include "unit/codecs/codec_helpers.hpp"

namespace quarq::broker::arq::payload_tests {

using namespace std::chrono_literals;
using testing::error_of;
using testing::from_hex;
using testing::hex;

inline model::record read_record(arq_codec codec, std::string_view payload) {
  return model::decode_record(arq_payloads(codec).read_job(payload).record);
}

inline std::string job_error(arq_codec codec, std::string_view payload) {
  return error_of<decode_error>([&] { arq_payloads(codec).read_job(payload); });
}

inline std::string end_error(arq_codec codec, std::string_view payload) {
  return error_of<decode_error>([&] { arq_payloads(codec).read_end(payload); });
}

struct read_back {
  job_state state;
  model::outcome outcome;
};

inline read_back read_end(arq_codec codec, std::string_view payload) {
  const auto end = arq_payloads(codec).read_end(payload);
  return {end.state, model::decode_outcome(end.outcome)};
}

/// As the payload of either codec.
inline std::string payload_of(arq_codec codec, std::string_view json) {
  const std::string msgpack = codecs::json_to_msgpack(json);
  return codec == arq_codec::pickle ? codecs::python::msgpack_to_pickle(msgpack, "test") : msgpack;
}

/// The payload of either codec as JSON.
inline std::string json_of(arq_codec codec, std::string_view payload) {
  return codecs::to_json(codec == arq_codec::pickle ? codecs::python::pickle_to_msgpack(payload, "test")
                                                    : std::string(payload));
}

inline model::record plain_record() {
  model::record r;
  r.task = "the_task";
  r.arguments = encode_arguments(1, std::string("x"));
  return r;
}

inline model::outcome plain_outcome() {
  model::outcome o;
  o.task = "the_task";
  o.attempts = 1;
  o.worker = "host:4711";
  o.enqueued_ms = 1'700'000'000'000;
  o.started_ms = 1'700'000'000'100;
  o.finished_ms = 1'700'000'000'200;
  return o;
}

inline model::outcome failed_outcome(std::string type, std::string error) {
  auto o = plain_outcome();
  o.error_type = std::move(type);
  o.error = std::move(error);
  return o;
}

/// In both codecs.
class payload_fixture : public ::testing::TestWithParam<arq_codec> {
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

}  // namespace quarq::broker::arq::payload_tests
