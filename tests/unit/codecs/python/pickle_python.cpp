// Debian's Python reads our pickles, and we read Python's.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>

#include "codecs/json.hpp"
#include "codecs/python/pickle.hpp"
#include "support/command.hpp"
#include "support/temp_dir.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs;
using namespace quarq::codecs::python;
using namespace quarq::testing;

namespace {

/// What Debian's Python prints for this program; the test fails if it ends in an error.
std::string python(const std::string& program, const std::string& input = {},
                   const std::string& folder = {}) {
  test::command_options options;
  options.input = input;
  options.folder = folder;
  const auto result =
      test::run_command({"/usr/bin/python3", "-c", program}, options, std::chrono::minutes(2));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Random nested values, and what they are in msgpack: `plain(v)`, packed. Bytewise equal to ours.
constexpr const char* corpus = R"(
import collections, datetime as dt, decimal, pickle, random, struct, sys, uuid
UTC = dt.timezone.utc
r = random.Random(20190301)

def text():
    return ''.join(r.choice('ab\n\r\t\\\'"\0\x1a\x7f\x80\xff\u0416\u20ac\ufffd\U0001f600') for _ in range(r.choice([0, 1, 3, 9, 300])))

def number():
    return r.choice([0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**32, 2**63 - 1, -2**63,
                     2**63, 2**64 - 1, r.getrandbits(40), -r.getrandbits(60)])

def moment():
    zone = r.choice([None, UTC, dt.timezone(dt.timedelta(minutes=r.randrange(-1439, 1440)), 'here'),
                     dt.timezone(dt.timedelta(seconds=-4321))])
    return dt.datetime(r.randrange(2, 9999), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24), r.randrange(60),
                       r.randrange(60), r.choice([0, 678, 999999]), zone, fold=r.randrange(2))

def key():
    return r.choice([text, number, lambda: None, lambda: (1, text()), lambda: 1.5, lambda: b'\xff'])()

SCALARS = [text, number, moment, lambda: None, lambda: True, lambda: False, lambda: r.random() * 10**r.randrange(-300, 300),
           lambda: float('inf'), lambda: r.randbytes(r.choice([0, 1, 5, 300])),
           lambda: bytearray(r.randbytes(r.choice([0, 1, 5, 300]))), lambda: uuid.UUID(int=r.getrandbits(128)), uuid.uuid1,
           lambda: decimal.Decimal(r.choice(['1.50', '-0', 'NaN', '1E+400', 'Infinity'])),
           lambda: dt.date(r.randrange(1, 10000), 2, 28), lambda: moment().timetz(),
           lambda: dt.timedelta(r.randrange(-100000, 100000), r.randrange(86400), r.randrange(10**6))]

def value(depth=0):
    kind = r.randrange(8) if depth < 5 else 7
    some = lambda: [value(depth + 1) for _ in range(r.choice([0, 1, 2, 3, 4, 20]))]
    if kind == 0: return some()
    if kind == 1: return tuple(some())
    if kind == 2: return {key(): value(depth + 1) for _ in range(r.choice([0, 1, 2, 20]))}
    if kind == 3: return r.choice([set, frozenset])(key() for _ in range(r.choice([0, 1, 2, 20])))
    if kind == 4: return collections.OrderedDict((key(), value(depth + 1)) for _ in range(3))
    if kind == 5: return collections.defaultdict(r.choice([list, None, int]), {key(): value(depth + 1)})
    if kind == 6:
        shared = value(depth + 1)
        return [shared, (shared, shared)]
    return r.choice(SCALARS)()

def plain(v):  # what Python reads of what we write
    if isinstance(v, (list, tuple, set, frozenset)): return [plain(x) for x in v]
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    if isinstance(v, bytearray): return bytes(v)
    if isinstance(v, (uuid.UUID, decimal.Decimal)): return str(v)
    if isinstance(v, dt.datetime): return v.astimezone(UTC).replace(fold=0) if v.tzinfo else v.replace(fold=0).isoformat()
    if isinstance(v, dt.date): return dt.datetime(v.year, v.month, v.day, tzinfo=UTC)
    if isinstance(v, dt.time): return v.replace(fold=0).isoformat()
    if isinstance(v, dt.timedelta): return (v.days * 86400 + v.seconds) * 10**9 + v.microseconds * 1000
    return v

VALUES = [value() for _ in range(100)]
)";

TEST(pickle_python, reads_what_python_writes_and_writes_what_python_reads) {
  const auto theirs = lines_of(python(std::string(corpus) + R"(
for v in VALUES:
    for protocol in range(6): print(pickle.dumps(v, protocol).hex())
    print(pickle.dumps(plain(v)).hex())
)"));
  ASSERT_EQ(theirs.size(), 100u * 7);
  std::string ours;
  for (std::size_t i = 0; i < theirs.size(); i += 7) {
    const std::string msgpack = pickle_to_msgpack(from_hex(theirs[i]), "protocol 0");
    for (std::size_t protocol = 1; protocol < 6; ++protocol)
      EXPECT_EQ(hex(pickle_to_msgpack(from_hex(theirs[i + protocol]), "pickle")), hex(msgpack))
          << "value " << i / 7 << ", protocol " << protocol;
    ours += hex(msgpack_to_pickle(msgpack, "value")) + '\t' + theirs[i + 6] + '\n';
  }
  // repr() tells types, order and every bit of a float.
  EXPECT_EQ(python(R"(
import pickle, sys
for line in sys.stdin:
    ours, theirs = [repr(pickle.loads(bytes.fromhex(data))) for data in line.split('\t')]
    if ours == theirs: continue
    at = next(i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b)
    sys.exit(f'{ours[max(0, at - 60):at + 60]!a}\n is not\n{theirs[max(0, at - 60):at + 60]!a}')
print('all')
)",
                   ours),
            "all\n");
}

TEST(pickle_python, a_set_s_order_and_a_float_s_bits_are_what_msgpack_of_python_says) {
  if (test::run_command({"/usr/bin/python3", "-c", "import msgpack"}).exit_code != 0)
    GTEST_SKIP() << "python3-msgpack is not installed";
  for (const std::string& line : lines_of(python(std::string(corpus) + R"(
import msgpack
for v in VALUES: print(pickle.dumps(v).hex(), msgpack.packb(plain(v), datetime=True).hex())
)"))) {
    const std::size_t space = line.find(' ');
    EXPECT_EQ(hex(pickle_to_msgpack(from_hex(line.substr(0, space)), "pickle")),
              hex(from_hex(line.substr(space + 1))));
  }
}

TEST(pickle_python, every_builtin_exception_is_read) {
  for (const std::string& line : lines_of(python(R"(
import asyncio, builtins, concurrent.futures, pickle
for name in dir(builtins):
    c = getattr(builtins, name)
    if not (isinstance(c, type) and issubclass(c, BaseException)): continue
    special = {'UnicodeDecodeError': ('utf-8', b'\xff', 0, 1, 'bad'), 'UnicodeEncodeError': ('ascii', 'x', 0, 1, 'bad'),
               'UnicodeTranslateError': ('x', 0, 1, 'bad'), 'ExceptionGroup': ('bad', [ValueError('x')]),
               'BaseExceptionGroup': ('bad', [KeyboardInterrupt('x')])}
    e = c(*special.get(name, ('bad',)))
    e.add_note('and more') if hasattr(e, 'add_note') else None
    for protocol in (3, 4, 5): print(c.__name__, pickle.dumps(e, protocol).hex())
print('asyncio.exceptions.CancelledError', pickle.dumps(asyncio.CancelledError('bad')).hex())
)"))) {
    const std::size_t space = line.find(' ');
    const auto found = read_python_exception(pickle_to_msgpack(from_hex(line.substr(space + 1)), "pickle"));
    ASSERT_TRUE(found) << line;
    EXPECT_EQ(found->type, line.substr(0, space));
    EXPECT_NE(found->message.find("bad"), std::string::npos) << found->message;
  }
}

/// Stands for arq: its exceptions, made from what arq makes them from.
void write_arq(const test::temp_dir& folder) {
  std::filesystem::create_directory(folder / "arq");
  std::ofstream(folder / "arq/__init__.py");
  std::ofstream(folder / "arq/jobs.py") << "class ResultNotFound(RuntimeError): pass\n"
                                           "class SerializationError(RuntimeError): pass\n"
                                           "class DeserializationError(SerializationError): pass\n";
  std::ofstream(folder / "arq/worker.py")
      << "class JobExecutionFailed(RuntimeError): pass\n"
         "class RetryJob(RuntimeError): pass\n"
         "class Retry(RuntimeError):\n"
         "    def __init__(self, defer=None):\n"
         "        self.defer_score = None if defer is None else int(defer * 1000)\n";
}

struct thrown {
  std::string type, message;
};

/// What a Python that has arq raises of exceptions that we write: the class and str() of each.
std::vector<std::string> raised(const std::vector<thrown>& exceptions) {
  const test::temp_dir folder;
  write_arq(folder);
  std::string pickles;
  for (const thrown& exception : exceptions) {
    std::string pickle;
    pickle_writer out(pickle);
    out.exception(exception.type, exception.message);
    out.finish();
    pickles += hex(pickle) + '\n';
  }
  return lines_of(python(R"(
import pickle, sys
sys.path.insert(0, '.')
for line in sys.stdin:
    try:
        raise pickle.loads(bytes.fromhex(line))
    except BaseException as e:
        print(type(e).__module__, type(e).__qualname__, str(e))
)",
                         pickles, folder.path().string()));
}

TEST(pickle_python, raises_what_we_write) {
  const auto found = raised({{"ValueError", "boom"},
                             {"builtins.KeyError", "boom"},
                             {"std::runtime_error", "boom"},
                             {"std::system_error", "no such file"},
                             {"shop::closed", "on Sundays"},
                             {"quarq::cancelled", "by ann"},
                             {"arq.worker.JobExecutionFailed", "job expired"},
                             {"quarq::decode_error", "f: argument 1: expected string, got integer"},
                             {"arq.jobs.DeserializationError", "unable to deserialize job"},
                             {"arq.Retry", "in 5 s"},
                             {"asyncio.TimeoutError", "after 5 s"}});
  const std::vector<std::string> expected = {
      "builtins ValueError boom",
      "builtins KeyError 'boom'",
      "builtins RuntimeError boom",
      "builtins OSError no such file",
      "builtins RuntimeError shop::closed: on Sundays",
      "asyncio.exceptions CancelledError ",
      "arq.worker JobExecutionFailed job expired",
      "builtins TypeError f: argument 1: expected string, got integer",
      "arq.jobs DeserializationError unable to deserialize job",
      "arq.worker Retry ",
  };
  ASSERT_EQ(found.size(), expected.size() + 1);
  EXPECT_EQ(std::vector<std::string>(found.begin(), found.end() - 1), expected);
  // From Python 3.11 on the two are one.
  EXPECT_TRUE(found.back() == "builtins TimeoutError after 5 s" ||
              found.back() == "asyncio.exceptions TimeoutError after 5 s")
      << found.back();
}

TEST(pickle_python, every_builtin_exception_is_written_as_itself_or_named_in_a_runtime_error) {
  std::string ours;
  for (const std::string& name : lines_of(python(R"(
import builtins
for name in dir(builtins):
    c = getattr(builtins, name)
    if isinstance(c, type) and issubclass(c, BaseException): print(name)
)"))) {
    std::string pickle;
    pickle_writer out(pickle);
    out.exception(name, "bad");
    out.finish();
    ours += name + '\t' + hex(pickle) + '\n';
  }
  EXPECT_EQ(python(R"(
import builtins, pickle, sys
for line in sys.stdin:
    name, data = line.split('\t')
    e = pickle.loads(bytes.fromhex(data))
    assert isinstance(e, Exception), name
    itself = type(e) is getattr(builtins, name)
    named = type(e) is RuntimeError and str(e) == name + ': bad'
    assert itself or named, (name, e)
print('all')
)",
                   ours),
            "all\n");
}

}  // namespace
