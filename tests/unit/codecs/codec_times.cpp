// Durations and points in time as msgpack and JSON.
#include <chrono>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "unit/codecs/codec_helpers.hpp"

namespace quarq::codecs {
namespace {

using namespace quarq::testing;
using namespace std::chrono_literals;

TEST(codec_times, durations_are_nanoseconds) {
  EXPECT_EQ(bytes_of(1us), "cd 03 e8");
  EXPECT_EQ(again(90min), 90min);
  EXPECT_EQ(again(-5ms), -5ms);
  EXPECT_EQ(again(std::chrono::duration<double>(1.25)).count(), 1.25);
  EXPECT_EQ(again(std::chrono::nanoseconds::min()), std::chrono::nanoseconds::min());
  EXPECT_EQ(from_msgpack<std::chrono::seconds>(to_msgpack(2900ms), "value"), 2s) << "cut, not rounded";
  EXPECT_EQ(from_msgpack<std::chrono::milliseconds>(to_msgpack(2s), "value"), 2000ms);
  EXPECT_EQ(complaint<std::chrono::seconds>("\"5s\""), "value: expected integer, got string");
}

TEST(codec_times, durations_that_do_not_fit_are_refused) {
  const char* message = "a duration or time is too far from zero: 2^63 nanoseconds, 292 years, is the most";
  EXPECT_EQ(error_of<usage_error>([] { to_msgpack(std::chrono::hours(3'000'000)); }), message);
  EXPECT_EQ(error_of<usage_error>([] { to_msgpack(std::chrono::seconds::max()); }), message);
  EXPECT_EQ(error_of<usage_error>([] { to_msgpack(std::chrono::duration<double>(1e10)); }), message);
  EXPECT_EQ(error_of<usage_error>([] { to_msgpack(std::chrono::duration<float>(NAN)); }), message);
  using narrow = std::chrono::duration<std::int8_t>;
  EXPECT_EQ(again(narrow(-128)), narrow(-128));
  EXPECT_EQ(complaint<narrow>("128000000000"),
            "value: a duration of 128000000000 nanoseconds is out of range here");
}

TEST(codec_times, time_points_are_timestamps) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time_point = sys_days(2019y / 3 / 1) + 12h + 250ms;
  EXPECT_EQ(codecs::to_json(to_msgpack(time_point)), "\"2019-03-01T12:00:00.250Z\"");
  EXPECT_EQ(again(time_point), time_point);
  const auto now = system_clock::now();
  EXPECT_EQ(again(now), now);
  EXPECT_EQ(again(sys_days(1900y / 1 / 1)), sys_days(1900y / 1 / 1));
  EXPECT_EQ(again(sys_time<milliseconds>(-1ms)), sys_time<milliseconds>(-1ms));
  EXPECT_EQ(again(sys_time<nanoseconds>::min()), sys_time<nanoseconds>::min());
  EXPECT_EQ(again(sys_time<nanoseconds>::max()), sys_time<nanoseconds>::max());
  EXPECT_EQ(again(sys_seconds::min()), sys_seconds::min());
  EXPECT_EQ(again(sys_seconds::max()), sys_seconds::max());
  EXPECT_EQ(from_json<sys_seconds>("\"1969-12-31T23:59:58.500Z\""), sys_seconds(-2s))
      << "cut towards the past";
  EXPECT_EQ(from_json<sys_days>("\"1969-12-31T12:00:00Z\""), sys_days(days(-1)));
}

TEST(codec_times, time_points_are_read_from_iso_8601) {
  using namespace std::chrono;
  const sys_seconds noon = sys_days(2019y / 3 / 1) + 12h;
  for (const char* text : {"2019-03-01T12:00:00Z", "2019-03-01t12:00z", "2019-03-01 13:00:00.000+01:00",
                           "2019-03-01T02:00-1000", "2019-03-01T12:00:00,9-00"})
    EXPECT_EQ(from_json<sys_seconds>('"' + std::string(text) + '"'), noon) << text;
  EXPECT_EQ(from_json<sys_time<nanoseconds>>("\"1970-01-01T00:00:00.000000001Z\"").time_since_epoch(), 1ns);
  EXPECT_EQ(from_json<sys_days>("\"2000-02-29T00:00Z\""), sys_days(2000y / 2 / 29));
  for (const char* text :
       {"", "now", "2019-03-01", "2019-03-01T12:00:00", "2019-02-29T00:00Z", "2019-13-01T00:00Z",
        "2019-00-01T00:00Z", "2019-03-01T24:00Z", "2019-03-01T12:60Z", "2019-03-01T12:00:60Z",
        "2019-3-1T12:00Z", "2019-03-01T12:00:00.Z", "2019-03-01T12:00:00Zx",
        "2019-03-01T12:00:00.1234567891Z", "2019-03-01T12Z", "2019-03-01T12:00+1",
        "2019-03-01T12:00+01:", "+2019-03-01T12:00Z", "2019-03-01T12:00+01:60"})
    EXPECT_EQ(complaint<sys_seconds>('"' + std::string(text) + '"'),
              "value: expected a time such as \"2019-03-01T12:00:00Z\", got \"" + std::string(text) + '"');
}

TEST(codec_times, time_points_out_of_range_are_refused) {
  using namespace std::chrono;
  EXPECT_EQ(complaint<sys_time<nanoseconds>>("\"2300-01-01T00:00Z\""),
            "value: the moment 10413792000 seconds after 1970 is out of range here");
  EXPECT_THROW(to_msgpack(sys_time<hours>::max()), usage_error);
  EXPECT_EQ(complaint<sys_seconds>("5"), "value: expected timestamp, got integer");
}

}  // namespace
}  // namespace quarq::codecs
