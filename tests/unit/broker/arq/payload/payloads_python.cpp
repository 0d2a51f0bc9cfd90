// Debian's Python reads the payloads that we write, and we read those it writes, as arq's own code would.
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>

#include "broker/arq/payload/payloads.hpp"
#include "codecs/json.hpp"
#include "model/record.hpp"
#include "support/command.hpp"
#include "unit/codecs/codec_helpers.hpp"

namespace quarq::broker::arq {
namespace {

using testing::from_hex;
using testing::hex;

/// arq's classes as they look to pickle, and its serializers of both kinds.
constexpr const char* arq_in_python = R"(
import asyncio, pickle, sys, types
import msgpack

def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    for key, value in members.items():
        value.__module__ = name
        setattr(sys.modules[name], key, value)

class JobExecutionFailed(RuntimeError):
    pass
class DeserializationError(RuntimeError):
    pass

module('arq')
module('arq.worker', JobExecutionFailed=JobExecutionFailed)
module('arq.jobs', DeserializationError=DeserializationError)

dumps = {'pickle': pickle.dumps, 'msgpack': msgpack.packb}
loads = {'pickle': pickle.loads, 'msgpack': lambda b: msgpack.unpackb(b, raw=False)}
)";

std::string python(const std::string& program, const std::string& input = {}) {
  test::command_options options;
  options.input = input;
  const auto result = test::run_command({"/usr/bin/python3", "-c", arq_in_python + program}, options,
                                        std::chrono::minutes(2));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

std::string name_of(arq_codec codec) {
  return codec == arq_codec::pickle ? "pickle" : "msgpack";
}

class arq_payload_python : public ::testing::TestWithParam<arq_codec> {
 protected:
  void SetUp() override {
    if (test::run_command({"/usr/bin/python3", "-c", "import msgpack"}).exit_code != 0)
      GTEST_SKIP() << "python3-msgpack is not installed";
  }

  std::string end(std::string type, std::string error, job_state state, std::string result = {}) {
    model::record r;
    r.task = "send_mail";
    r.arguments = encode_arguments(std::string("ann"), 3);
    r.keywords = codecs::json_to_msgpack(R"({"urgent": true})");
    model::outcome o;
    o.task = r.task;
    o.attempts = 2;
    o.worker = "host:4711";
    o.enqueued_ms = 1'700'000'000'000;
    o.started_ms = 1'700'000'000'100;
    o.finished_ms = 1'700'000'000'200;
    o.result = std::move(result);
    o.error_type = std::move(type);
    o.error = std::move(error);
    const std::string record = model::encode(r), outcome = model::encode(o);
    return hex(payloads_.write_end({record, outcome, state, "arq:queue", "id1"})) + '\n';
  }

  arq_payloads payloads_{GetParam()};
  const std::string codec_ = name_of(GetParam());
};

INSTANTIATE_TEST_SUITE_P(in, arq_payload_python, ::testing::Values(arq_codec::pickle, arq_codec::msgpack),
                         [](const auto& codec) { return name_of(codec.param); });

TEST_P(arq_payload_python, python_reads_our_job) {
  model::record r;
  r.task = "send_mail";
  encoder(r.arguments).array(3);
  encoder out(r.arguments);
  out.text("Ann \xe2\x82\xac");
  out.binary(std::string("\x00\xff", 2));
  out.unsigned_integer(~std::uint64_t{0});
  r.keywords = codecs::json_to_msgpack(R"({"urgent": true})");
  r.max_attempts = 7;
  const auto payload = payloads_.write_job({model::encode(r), 1'700'000'000'000, 3, 1'700'000'060'000});
  EXPECT_EQ(
      python("d = loads['" + codec_ + R"('](bytes.fromhex(sys.stdin.read()))
assert type(d['a']) is (tuple if ')" +
                 codec_ + R"(' == 'pickle' else list)
d['a'] = list(d['a'])
print(d)
)",
             hex(payload)),
      "{'t': 3, 'f': 'send_mail', 'a': ['Ann \xe2\x82\xac', b'\\x00\\xff', 18446744073709551615], "
      "'k': {'urgent': True}, 'et': 1700000000000, 'quarq': {'tries': 7, 'expires_at': 1700000060000}}\n");
}

/// What Job.result() of arq does with a result payload.
constexpr const char* ask_for_results = R"(
for line in sys.stdin:
    d = loads[codec](bytes.fromhex(line))
    assert (d['t'], d['f'], list(d['a']), d['k'], d['et']) == (2, 'send_mail', ['ann', 3], {'urgent': True}, 1700000000000)
    assert (d['st'], d['ft'], d['q'], d['id']) == (1700000000100, 1700000000200, 'arq:queue', 'id1')
    r = d['r']
    if d['s']:
        print('returned', repr(r))
    elif isinstance(r, (Exception, asyncio.CancelledError)):
        try:
            raise r
        except (Exception, asyncio.CancelledError) as e:
            print('raised', type(e).__module__, repr(e))
    else:
        print('SerializationError', repr(r))
)";

TEST_P(arq_payload_python, python_raises_our_failures) {
  std::string ends = end("", "", job_state::succeeded);
  ends += end("", "", job_state::succeeded, codecs::json_to_msgpack(R"([1, {"a": 2.5}, null])"));
  ends += end("std::invalid_argument", "boom", job_state::failed);
  ends += end("my::error", "boom", job_state::dead);
  ends += end("quarq::timed_out", "too slow", job_state::failed);
  ends += end("quarq::cancelled", "stopped", job_state::cancelled);
  ends += end("quarq::job_expired", "too late", job_state::expired);
  ends += end("quarq::unknown_task", "no handler", job_state::dead);
  ends += end("quarq::decode_error", "send_mail: argument 1: expected string, got integer", job_state::dead);
  const std::string with_exceptions = R"(returned None
returned [1, {'a': 2.5}, None]
raised builtins ValueError('boom')
raised builtins RuntimeError('my::error: boom')
raised builtins TimeoutError('too slow')
raised asyncio.exceptions CancelledError()
raised arq.worker JobExecutionFailed('job expired')
raised arq.worker JobExecutionFailed("function 'send_mail' not found")
raised builtins TypeError('send_mail: argument 1: expected string, got integer')
)";
  const std::string with_text = R"(returned None
returned [1, {'a': 2.5}, None]
SerializationError 'ValueError: boom'
SerializationError 'my::error: boom'
SerializationError 'TimeoutError: too slow'
SerializationError 'CancelledError: stopped'
SerializationError 'JobExecutionFailed: job expired'
SerializationError "JobExecutionFailed: function 'send_mail' not found"
SerializationError 'TypeError: send_mail: argument 1: expected string, got integer'
)";
  EXPECT_EQ(python("codec = '" + codec_ + "'\n" + ask_for_results, ends),
            GetParam() == arq_codec::pickle ? with_exceptions : with_text);
}

TEST_P(arq_payload_python, we_read_what_python_writes) {
  const std::string lines = python("codec = '" + codec_ + R"('
import json, random
r = random.Random(7)
def value(depth=0):
    kind = r.randrange(9 if depth < 3 else 6)
    if kind == 0: return r.choice([None, True, False])
    if kind == 1: return r.randrange(-2**63, 2**64)
    if kind == 2: return r.choice([0.1, -1e300, 2.0])
    if kind < 6: return ''.join(r.choice('ab\'"\\\n\u20ac\U0001f600') for _ in range(r.choice([0, 3, 40, 300])))
    if kind == 6: return [value(depth + 1) for _ in range(r.randrange(5))]
    if kind == 7: return tuple(value(depth + 1) for _ in range(r.randrange(5)))
    return {k: value(depth + 1) for k in ('f', 'a', 'key \u20ac', 'et')[:r.randrange(5)]}
for i in range(200):
    job = {'t': r.choice([None, 1, 5]), 'f': r.choice(['f', 'a', 'send_mail']), 'a': tuple(value() for _ in range(r.randrange(4))),
           'k': {k: value() for k in ('f', 't', 'url')[:r.randrange(4)]}, 'et': 1700000000000 + i}
    for protocol in range(6) if codec == 'pickle' else [None]:
        data = pickle.dumps(job, protocol) if codec == 'pickle' else msgpack.packb(job)
        print(data.hex(), json.dumps(job, ensure_ascii=False), sep='\t')
)");
  std::istringstream in(lines);
  int count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    const auto tab = line.find('\t');
    const auto job = payloads_.read_job(from_hex(line.substr(0, tab)));
    const auto record = model::decode_record(job.record);
    const std::string keywords = record.keywords.empty() ? "{}" : codecs::to_json(record.keywords);
    const auto shown = [](const std::string& json) { return codecs::to_json(codecs::json_to_msgpack(json)); };
    const std::string ours =
        "{\"t\": " + (job.try_at_least == 0 ? "null" : std::to_string(job.try_at_least)) + ", \"f\": \"" +
        record.task + "\", \"a\": " + codecs::to_json(record.arguments) + ", \"k\": " + keywords +
        ", \"et\": " + std::to_string(job.enqueued_ms) + '}';
    ASSERT_EQ(ours, shown(line.substr(tab + 1)));
  }
  EXPECT_EQ(count, GetParam() == arq_codec::pickle ? 1200 : 200);
}

TEST(arq_payload_python_pickle, what_arq_writes_of_a_failure_is_read) {
  arq_payloads payloads(arq_codec::pickle);
  const std::string lines = python(R"(
class SoldOut(Exception):
    pass
SoldOut.__module__ = 'my_shop.errors'
module('my_shop'); module('my_shop.errors', SoldOut=SoldOut)
for e in (ValueError('boom'), KeyError('k'), OSError(2, 'No such file'), SoldOut('shoes', 3), asyncio.CancelledError(),
          asyncio.TimeoutError(), TimeoutError('of a socket'), JobExecutionFailed('max 5 retries exceeded'),
          DeserializationError('unable to deserialize job')):
    print(pickle.dumps({'t': 1, 'f': 'g', 'a': (), 'k': {}, 'et': 1, 's': False, 'r': e, 'st': 1, 'ft': 2, 'q': 'arq:queue',
                        'id': 'x'}).hex())
)");
  std::istringstream in(lines);
  std::string seen;
  for (std::string line; std::getline(in, line);) {
    const auto end = payloads.read_end(from_hex(line));
    const auto o = model::decode_outcome(end.outcome);
    seen += std::string(to_string(end.state)) + ' ' + o.error_type + ": " + o.error + '\n';
  }
  EXPECT_EQ(seen, R"(failed ValueError: boom
failed KeyError: k
failed FileNotFoundError: [2, "No such file"]
failed my_shop.errors.SoldOut: ["shoes", 3]
cancelled quarq::cancelled: 
failed quarq::timed_out: g timed out
failed TimeoutError: of a socket
dead arq.worker.JobExecutionFailed: max 5 retries exceeded
dead quarq::decode_error: unable to deserialize job
)");
}

TEST(arq_payload_python_pickle, a_result_repeats_what_was_given_exactly) {
  arq_payloads payloads(arq_codec::pickle);
  const auto given = python(R"(
import datetime, uuid
shared = ['again', 'again']
job = {'t': None, 'f': 'f', 'a': ({3}, (1, (2,)), datetime.datetime(2024, 1, 2), shared, shared, uuid.UUID(int=5), b'x' * 100000),
       'k': {'a': frozenset([1])}, 'et': 1700000000000, 'quarq': {'tries': 7, 'expires_at': 1700000060000}}
for protocol in range(6):
    print(pickle.dumps(job, protocol).hex())
)");
  std::string results;
  std::istringstream lines(given);
  for (std::string line; std::getline(lines, line);) {
    const auto job = payloads.read_job(from_hex(line));
    model::outcome o;
    o.task = "f";
    o.attempts = 2;
    o.worker = "host:4711";
    o.enqueued_ms = 1'700'000'000'000;
    o.finished_ms = 1'700'000'000'200;
    std::string number;
    encoder(number).integer(42);
    o.result = number;
    const auto outcome = model::encode(o);
    const auto written =
        payloads.write_end({{}, outcome, job_state::succeeded, "arq:queue", "id1", job.given});
    results += hex(written) + '\n';
    const auto read = payloads.read_end(written);
    EXPECT_EQ(model::encode(model::decode_outcome(read.outcome)), outcome);
  }
  EXPECT_EQ(python(R"(
import datetime, uuid
for line in sys.stdin:
    for read in (pickle.loads, pickle._loads):
        d = read(bytes.fromhex(line))
        a = d['a']
        assert a[:3] == ({3}, (1, (2,)), datetime.datetime(2024, 1, 2)) and type(a[0]) is set, a
        assert a[3] is a[4] and a[5] == uuid.UUID(int=5) and len(a[6]) == 100000
        assert type(d['k']['a']) is frozenset
        print(sorted(d), d['t'], d['r'], d['s'], d['id'], d['quarq'])
)",
                   results),
            [] {
              std::string all;
              for (int i = 0; i < 12; ++i) {
                all +=
                    "['a', 'et', 'f', 'ft', 'id', 'k', 'q', 'quarq', 'r', 's', 'st', 't'] 2 42 True id1 "
                    "{'worker': 'host:4711'}\n";
              }
              return all;
            }());
}

}  // namespace
}  // namespace quarq::broker::arq
