#include "http/client/pool_book.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::http {
namespace {

using namespace std::chrono_literals;
using grant = pool_book::grant;

const pool_book::time_point pool_start{1000h};

pool_limits small_pool() {
  pool_limits limits;
  limits.total = 3;
  limits.per_host = 2;
  return limits;
}

TEST(http_pool_book, opens_until_the_host_is_full) {
  pool_book book(small_pool());
  EXPECT_EQ(book.ask("a", pool_start).what, grant::open);
  EXPECT_EQ(book.ask("a", pool_start).what, grant::open);
  EXPECT_EQ(book.ask("a", pool_start).what, grant::host_full);
  EXPECT_EQ(book.ask("b", pool_start).what, grant::open);
  EXPECT_EQ(book.ask("b", pool_start).what, grant::all_full);
  book.gone("a");
  EXPECT_EQ(book.ask("b", pool_start).what, grant::open);
  EXPECT_EQ(book.in_use(), 3u);
}

TEST(http_pool_book, an_idle_one_is_taken_without_opening_another) {
  pool_book book(small_pool());
  EXPECT_EQ(book.take_idle("a", pool_start), std::nullopt);
  EXPECT_EQ(book.in_use(), 0u);
  book.ask("a", pool_start);
  book.give_back("a", 7, pool_start + 15s);
  EXPECT_EQ(book.take_idle("b", pool_start), std::nullopt);
  EXPECT_EQ(book.take_idle("a", pool_start + 15s), std::nullopt);
  EXPECT_EQ(book.take_idle("a", pool_start), 7u);
  EXPECT_EQ(book.in_use(), 1u);
  EXPECT_EQ(book.idle(), 0u);
}

TEST(http_pool_book, the_one_used_last_is_reused_first) {
  pool_book book(small_pool());
  book.ask("a", pool_start);
  book.ask("a", pool_start);
  book.give_back("a", 7, pool_start + 15s);
  book.give_back("a", 8, pool_start + 15s);
  EXPECT_EQ(book.ask("a", pool_start).connection, 8u);
  EXPECT_EQ(book.ask("a", pool_start).connection, 7u);
  EXPECT_EQ(book.idle(), 0u);
}

TEST(http_pool_book, one_host_does_not_get_anothers) {
  pool_book book(small_pool());
  book.ask("a", pool_start);
  book.give_back("a", 7, pool_start + 15s);
  const auto other = book.ask("b", pool_start);
  EXPECT_EQ(other.what, grant::open);
  EXPECT_EQ(other.evict, std::nullopt);
}

TEST(http_pool_book, one_that_is_too_old_is_not_reused) {
  pool_book book(small_pool());
  book.ask("a", pool_start);
  book.give_back("a", 7, pool_start + 15s);
  EXPECT_EQ(book.next_expiry(), pool_start + 15s);
  EXPECT_EQ(book.ask("a", pool_start + 15s).what, grant::open);
  EXPECT_EQ(book.take_expired(pool_start + 15s), std::vector<pool_book::connection_id>{7});
  EXPECT_EQ(book.next_expiry(), pool_book::time_point::max());
}

TEST(http_pool_book, a_shorter_life_of_one_does_not_hide_another) {
  pool_book book(small_pool());
  book.ask("a", pool_start);
  book.ask("a", pool_start);
  book.give_back("a", 7, pool_start + 15s);
  book.give_back("a", 8, pool_start + 1s);
  EXPECT_EQ(book.ask("a", pool_start + 2s).connection, 7u);
}

TEST(http_pool_book, an_idle_one_makes_room_for_another_host) {
  pool_book book(small_pool());
  book.ask("a", pool_start);
  book.ask("a", pool_start);
  book.ask("b", pool_start);
  book.give_back("a", 7, pool_start + 15s);
  book.give_back("b", 8, pool_start + 15s);
  const auto third = book.ask("c", pool_start);
  EXPECT_EQ(third.what, grant::open);
  EXPECT_EQ(third.evict, 7u);
  EXPECT_EQ(book.in_use() + book.idle(), 3u);
}

TEST(http_pool_book, a_host_full_of_old_ones_makes_room_for_itself) {
  pool_book book(small_pool());
  book.ask("a", pool_start);
  book.ask("a", pool_start);
  book.give_back("a", 7, pool_start + 1s);
  book.give_back("a", 8, pool_start + 1s);
  const auto next = book.ask("a", pool_start + 2s);
  EXPECT_EQ(next.what, grant::open);
  EXPECT_EQ(next.evict, 7u);
}

TEST(http_pool_book, keeps_its_limits_whatever_happens) {
  std::mt19937 random(7);
  pool_book book(small_pool());
  std::vector<std::string> in_use;
  auto now = pool_start;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds(random() % 400);
    const std::string host(1, static_cast<char>('a' + random() % 4));
    if (random() % 2 == 0) {
      const auto answer = book.ask(host, now);
      if (answer.what == grant::open || answer.what == grant::reuse) in_use.push_back(host);
    } else if (!in_use.empty()) {
      const auto which = in_use.begin() + static_cast<std::ptrdiff_t>(random() % in_use.size());
      if (random() % 2 == 0)
        book.give_back(*which, random(), now + 1s);
      else
        book.gone(*which);
      in_use.erase(which);
    }
    if (random() % 8 == 0) book.take_expired(now);
    ASSERT_EQ(book.in_use(), in_use.size());
    ASSERT_LE(book.in_use() + book.idle(), 3u);
  }
}

}  // namespace
}  // namespace quarq::http
