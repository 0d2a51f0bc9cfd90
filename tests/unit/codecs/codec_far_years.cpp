// Time points before the year 0 and after 9999, as JSON.
#include <chrono>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/iso8601.hpp"
#include "codecs/json.hpp"

namespace quarq::test::codec_far_years_tests {
namespace {

using namespace std::chrono;

TEST(codec_far_years, json_is_read_back) {
  for (const int year : {-32767, -10'000, -400, -1, 0, 1, 9999, 10'000, 12'345, 32'767}) {
    const sys_seconds moment = sys_days(std::chrono::year(year) / 2 / 28) + 23h + 59s;
    const std::string json = codecs::to_json(to_msgpack(moment));
    EXPECT_EQ(from_msgpack<sys_seconds>(codecs::json_to_msgpack(json), "value"), moment) << json;
  }
}

TEST(codec_far_years, they_have_a_sign_and_may_have_more_digits) {
  const auto text = [](int year) {
    return codecs::to_json(to_msgpack(sys_days(std::chrono::year(year) / 1 / 1)));
  };
  EXPECT_EQ(text(-1), "\"-0001-01-01T00:00:00Z\"");
  EXPECT_EQ(text(10'000), "\"+10000-01-01T00:00:00Z\"");
  EXPECT_EQ(codecs::from_iso8601("+002019-03-01T12:00:00Z"), codecs::from_iso8601("2019-03-01T12:00:00Z"));
}

TEST(codec_far_years, every_timestamp_is_read_back) {
  constexpr auto min = std::numeric_limits<std::int64_t>::min(),
                 max = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t seconds : {min, min + 1, min / 2, std::int64_t{-1}, max / 2, max - 1, max}) {
    const timestamp moment{seconds, 5};
    const std::string text = codecs::to_iso8601(moment);
    EXPECT_EQ(codecs::from_iso8601(text), moment) << text;
  }
}

TEST(codec_far_years, what_no_timestamp_holds_is_refused) {
  for (const char* text : {"+292277026597-01-01T00:00:00Z", "-999999999999-01-01T00:00:00Z",
                           "12345-01-01T00:00:00Z", "+201-01-01T00:00:00Z", "+2019-02-29T00:00:00Z",
                           "+-2019-01-01T00:00:00Z", "-+2019-01-01T00:00:00Z", "+2019-03-01T00:00:00Z"})
    EXPECT_FALSE(codecs::from_iso8601(text)) << text;
}

}  // namespace
}  // namespace quarq::test::codec_far_years_tests
