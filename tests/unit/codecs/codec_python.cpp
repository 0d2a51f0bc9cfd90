// Python's msgpack and ours read each other's bytes.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <quarq/codec.hpp>

#include "codecs/json.hpp"
#include "unit/codecs/codec_helpers.hpp"

using namespace quarq;
using namespace quarq::codecs;
using namespace quarq::testing;

namespace {

/// A folder that is gone at the end.
class folder {
 public:
  folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "quarq-codec-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path file(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What Debian's Python prints for this program; the test fails if it ends in an error.
std::string python(const folder& in, const std::string& program) {
  std::ofstream(in.file("program.py")) << program;
  const std::string command = "/usr/bin/python3 " + in.file("program.py").string() + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("can't run " + command);
  std::string output;
  char buffer[4096];
  for (std::size_t got; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, got);
  EXPECT_EQ(pclose(pipe), 0) << output;
  return output;
}

bool python_has_msgpack() {
  return std::system("/usr/bin/python3 -c 'import msgpack' 2>/dev/null") == 0;
}

TEST(codec_python, writes_the_same_bytes_and_reads_ours) {
  if (!python_has_msgpack()) GTEST_SKIP() << "python3-msgpack is not installed";
  // What each side makes of the same values, in hexadecimal, a line each; Python also reads ours back.
  std::ostringstream ours;
  const auto add = [&](const auto& value) { ours << hex(to_msgpack(value)) << '\n'; };
  add(std::monostate());
  add(true);
  for (const std::int64_t n : {0L, 127L, 128L, 255L, 256L, 65535L, 65536L, 4294967295L, 4294967296L, -1L,
                               -32L, -33L, -128L, -129L, -32768L, -32769L, -2147483648L, -2147483649L})
    add(n);
  add(UINT64_MAX);
  add(INT64_MIN);
  add(0.1);
  for (const std::size_t n : {0, 1, 31, 32, 255, 256, 65535, 65536}) {
    add(std::string(n, 'x'));
    add(bytes(n, std::byte{200}));
    add(std::vector<int>(n, 7));
  }
  add(std::string("h\xc3\xa9llo \xf0\x9f\x98\x80"));
  std::map<std::string, int> map;
  for (int i = 10; i < 30; ++i) map[std::to_string(i)] = i;
  add(map);
  using namespace std::chrono;
  for (const auto s : {0L, 4294967295L, 4294967296L, 17179869183L, 17179869184L, -1L})
    for (const auto n : {0, 1, 999999999}) {
      std::string time_point;
      encoder(time_point).time({s, static_cast<std::uint32_t>(n)});
      ours << hex(time_point) << '\n';
    }
  for (const std::size_t n : {0, 1, 2, 3, 4, 8, 16, 17, 256}) {
    std::string data;
    encoder(data).extension(5, std::string(n, 'e'));
    ours << hex(data) << '\n';
  }

  const folder temporary;
  std::ofstream(temporary.file("ours")) << ours.str();
  const std::string theirs = python(temporary, R"(
import msgpack, os
values = [None, True, 0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -32, -33, -128, -129, -32768,
          -32769, -2147483648, -2147483649, 2**64 - 1, -2**63, 0.1]
for n in [0, 1, 31, 32, 255, 256, 65535, 65536]:
    values += ['x' * n, b'\xc8' * n, [7] * n]
values.append('h\xe9llo \U0001f600')
values.append({str(i): i for i in range(10, 30)})
for s in [0, 4294967295, 4294967296, 17179869183, 17179869184, -1]:
    values += [msgpack.Timestamp(s, n) for n in [0, 1, 999999999]]
values += [msgpack.ExtType(5, b'e' * n) for n in [0, 1, 2, 3, 4, 8, 16, 17, 256]]
with open(os.path.join(os.path.dirname(__file__), 'ours')) as file:
    ours = [bytes.fromhex(line) for line in file]
assert len(ours) == len(values), (len(ours), len(values))
for mine, value in zip(ours, values):
    read = msgpack.unpackb(mine, raw=False, timestamp=0)
    assert read == value and type(read) is type(value), (read, value)
    print(msgpack.packb(value, use_bin_type=True).hex(' '))
)");
  EXPECT_EQ(theirs, ours.str());
}

TEST(codec_python, reads_what_python_writes) {
  if (!python_has_msgpack()) GTEST_SKIP() << "python3-msgpack is not installed";
  const folder temporary;
  const std::string theirs = python(temporary, R"(
import msgpack, datetime
print(msgpack.packb({
    'url': 'http://a', 'n': [1, -2, 3.5, None, True], 'raw': b'\xff', 7: {'deep': []}, 'float': [1.5] * 20,
    'when': datetime.datetime(2019, 3, 1, 12, tzinfo=datetime.timezone.utc)}, datetime=True).hex())
print(msgpack.packb([0.1], use_single_float=True).hex())
)");
  std::istringstream lines(theirs);
  std::string line;
  std::getline(lines, line);
  std::string floats = "1.5";
  for (int i = 1; i < 20; ++i) floats += ", 1.5";
  EXPECT_EQ(codecs::to_json(from_hex(line)),
            "{\"url\": \"http://a\", \"n\": [1, -2, 3.5, null, true], \"raw\": {\"$bytes\": \"/w==\"}, "
            "\"7\": {\"deep\": []}, "
            "\"float\": [" +
                floats + "], \"when\": \"2019-03-01T12:00:00Z\"}");
  std::getline(lines, line);
  EXPECT_EQ(from_msgpack<std::vector<float>>(from_hex(line), "python"), std::vector<float>{0.1f});
}

}  // namespace
