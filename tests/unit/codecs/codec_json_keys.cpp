// Keys of maps, which are text in JSON.
#include <map>
#include <string>
#include <unordered_map>

#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

#include "codecs/json.hpp"

namespace quarq::test::codec_json_keys_tests {
namespace {

enum class level : int { low = -1, high = 7 };
enum class flag : bool { off = false, on = true };
enum class tiny : unsigned char { one = 1 };

template <class Map>
Map through_json(const Map& map) {
  return from_msgpack<Map>(codecs::json_to_msgpack(codecs::to_json(to_msgpack(map))), "value");
}

template <class Map>
std::string complaint(const char* json) {
  try {
    from_msgpack<Map>(codecs::json_to_msgpack(json), "value");
  } catch (const decode_error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(codec_json_keys, keys_of_every_kind_come_back) {
  using by_level = std::map<level, int>;
  const by_level levels{{level::low, 1}, {level::high, 2}};
  EXPECT_EQ(codecs::to_json(to_msgpack(levels)), "{\"-1\": 1, \"7\": 2}");
  EXPECT_EQ(through_json(levels), levels);
  const std::map<bool, int> bools{{false, 1}, {true, 2}};
  EXPECT_EQ(codecs::to_json(to_msgpack(bools)), "{\"false\": 1, \"true\": 2}");
  EXPECT_EQ(through_json(bools), bools);
  const std::map<flag, int> flags{{flag::off, 1}, {flag::on, 2}};
  EXPECT_EQ(through_json(flags), flags);
  const std::unordered_map<tiny, std::string> tinies{{tiny::one, "a"}};
  EXPECT_EQ(through_json(tinies), tinies);
  EXPECT_EQ((from_msgpack<by_level>(to_msgpack(levels), "value")), levels);
}

TEST(codec_json_keys, wrong_keys_are_named) {
  using by_bool = std::map<bool, int>;
  using by_tiny = std::map<tiny, int>;
  EXPECT_EQ(complaint<by_bool>(R"({"yes": 1})"), "value: key 1: expected boolean, got the string \"yes\"");
  EXPECT_EQ(complaint<by_tiny>(R"({"one": 1})"), "value: key 1: expected integer, got the string \"one\"");
  EXPECT_EQ(complaint<by_tiny>(R"({"300": 1})"), "value: key 1: expected integer, got the string \"300\"");
  EXPECT_EQ(complaint<by_tiny>(R"({"1": "x"})"), "value: entry [1]: expected integer, got string");
}

}  // namespace
}  // namespace quarq::test::codec_json_keys_tests
