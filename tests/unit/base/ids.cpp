#include "base/ids.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using quarq::base::make_id;

namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

long long now_in_milliseconds() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

long long milliseconds_of(const std::string& id) {
  long long value = 0;
  for (int i = 0; i < 10; ++i) value = value * 32 + static_cast<long long>(alphabet.find(id[i]));
  return value;
}

TEST(ids, are_26_characters_of_crockfords_base_32) {
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_id();
    ASSERT_EQ(id.size(), 26u);
    ASSERT_EQ(id.find_first_not_of(alphabet), std::string::npos) << id;
  }
}

TEST(ids, are_known_by_their_form) {
  EXPECT_TRUE(quarq::base::is_made_id(make_id()));
  EXPECT_FALSE(quarq::base::is_made_id("page"));
  EXPECT_FALSE(quarq::base::is_made_id("01JD000000000000000000000"));
  EXPECT_FALSE(quarq::base::is_made_id("01jd0000000000000000000000"));
}

TEST(ids, begin_with_the_time) {
  const auto before = now_in_milliseconds();
  const std::string id = make_id();
  const auto after = now_in_milliseconds();
  EXPECT_LE(before, milliseconds_of(id));
  EXPECT_GE(after, milliseconds_of(id));
}

TEST(ids, sort_by_time) {
  const std::string first = make_id();
  while (now_in_milliseconds() <= milliseconds_of(first)) std::this_thread::yield();
  EXPECT_LT(first, make_id());
}

TEST(ids, every_bit_of_the_random_part_varies) {
  std::vector<std::set<char>> seen(16);
  for (int i = 0; i < 2000; ++i) {
    const std::string id = make_id();
    for (int k = 0; k < 16; ++k) seen[k].insert(id[10 + k]);
  }
  for (const auto& characters : seen) EXPECT_EQ(characters.size(), 32u);
}

TEST(ids, differ_across_threads) {
  std::vector<std::vector<std::string>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& list : drawn)
    threads.emplace_back([&list] {
      for (int i = 0; i < 20'000; ++i) list.push_back(make_id());
    });
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& list : drawn) all.insert(list.begin(), list.end());
  EXPECT_EQ(all.size(), 80'000u);
}

/// What a forked child draws, without the time.
std::set<std::string> random_parts_of_a_child() {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    for (int i = 0; i < 30; ++i) text += make_id();
    const bool written = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[1024];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, got);
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::set<std::string> parts;
  for (std::size_t i = 0; i + 26 <= text.size(); i += 26) parts.insert(text.substr(i + 10, 16));
  EXPECT_EQ(parts.size(), 30u);
  return parts;
}

TEST(ids, differ_across_forks) {
  make_id();  // random bytes are in hand now, which both processes have after fork
  const std::set<std::string> first = random_parts_of_a_child();
  const std::set<std::string> second = random_parts_of_a_child();
  std::set<std::string> all = first;
  all.insert(second.begin(), second.end());
  for (int i = 0; i < 30; ++i) all.insert(make_id().substr(10));
  EXPECT_EQ(all.size(), 90u);
}

}  // namespace
