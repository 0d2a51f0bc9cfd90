#include "http/net/address_race.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/addresses.hpp"

namespace quarq::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

const address_race::time_point race_start{1000h};

TEST(http_address_race, the_first_has_a_head_start) {
  address_race race(3);
  EXPECT_EQ(race.next_to_start(race_start), 0u);
  EXPECT_EQ(race.next_to_start(race_start), std::nullopt);
  EXPECT_EQ(race.next_start(), race_start + 250ms);
  EXPECT_EQ(race.next_to_start(race_start + 249ms), std::nullopt);
  EXPECT_EQ(race.next_to_start(race_start + 250ms), 1u);
  EXPECT_EQ(race.next_to_start(race_start + 300ms), std::nullopt);
  EXPECT_EQ(race.next_to_start(race_start + 500ms), 2u);
  EXPECT_EQ(race.next_to_start(race_start + 750ms), std::nullopt);
  EXPECT_EQ(race.next_start(), address_race::time_point::max());
}

TEST(http_address_race, a_failure_starts_the_next_at_once) {
  address_race race(3);
  EXPECT_EQ(race.next_to_start(race_start), 0u);
  race.failed(0);
  EXPECT_LE(race.next_start(), race_start);
  EXPECT_EQ(race.next_to_start(race_start + 1ms), 1u);
  EXPECT_EQ(race.next_to_start(race_start + 1ms), std::nullopt);
  EXPECT_FALSE(race.lost());
}

TEST(http_address_race, a_failure_of_an_earlier_one_changes_nothing) {
  address_race race(3);
  race.next_to_start(race_start);
  race.next_to_start(race_start + 250ms);
  race.failed(0);
  EXPECT_EQ(race.next_to_start(race_start + 260ms), std::nullopt);
  EXPECT_EQ(race.next_start(), race_start + 500ms);
}

TEST(http_address_race, is_lost_when_all_have_failed) {
  address_race race(2);
  race.next_to_start(race_start);
  race.failed(0);
  race.next_to_start(race_start);
  EXPECT_FALSE(race.lost());
  race.failed(1);
  EXPECT_TRUE(race.lost());
  EXPECT_EQ(race.next_to_start(race_start + 1h), std::nullopt);
}

TEST(http_address_race, of_no_addresses_is_lost) {
  EXPECT_TRUE(address_race(0).lost());
}

std::vector<std::string> turns_of(const std::vector<std::string>& addresses) {
  std::vector<tcp::endpoint> endpoints;
  for (const auto& one : addresses) endpoints.emplace_back(make_address(one), 80);
  std::vector<std::string> result;
  for (const auto& one : base::in_turns(endpoints)) result.push_back(one.address().to_string());
  return result;
}

TEST(http_in_turns, the_kinds_of_addresses_take_turns) {
  using list = std::vector<std::string>;
  EXPECT_EQ(turns_of({}), list{});
  EXPECT_EQ(turns_of({"1.1.1.1", "1.1.1.2"}), (list{"1.1.1.1", "1.1.1.2"}));
  EXPECT_EQ(turns_of({"::1", "::2", "::3", "1.1.1.1"}), (list{"::1", "1.1.1.1", "::2", "::3"}));
  EXPECT_EQ(turns_of({"1.1.1.1", "1.1.1.2", "::1", "::2"}), (list{"1.1.1.1", "::1", "1.1.1.2", "::2"}));
}

}  // namespace
}  // namespace quarq::http
