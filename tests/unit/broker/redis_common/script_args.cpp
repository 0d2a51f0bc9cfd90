// How a batch of settlements is divided among calls of a script.
#include "broker/redis_common/script_args.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::broker::redis_common {
namespace {

using parts = std::vector<std::vector<std::size_t>>;

settlement of(std::string id, std::size_t bytes = 0) {
  settlement one;
  one.id = std::move(id);
  one.outcome.assign(bytes, 'x');
  return one;
}

TEST(split_settlements, of_nothing_there_are_none) {
  EXPECT_EQ(split_settlements({}), parts{});
}

TEST(split_settlements, a_job_that_is_there_twice_is_taken_once) {
  EXPECT_EQ(split_settlements({of("a"), of("b"), of("a"), of("c")}), (parts{{0, 1, 3}}));
}

TEST(split_settlements, each_has_so_many_jobs_at_most) {
  std::vector<settlement> batch;
  for (std::size_t i = 0; i < 2 * max_jobs_per_call + 1; ++i) batch.push_back(of(std::to_string(i)));
  const auto found = split_settlements(batch);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].size(), max_jobs_per_call);
  EXPECT_EQ(found[1].size(), max_jobs_per_call);
  EXPECT_EQ(found[2], std::vector<std::size_t>{2 * max_jobs_per_call});
}

TEST(split_settlements, each_has_so_many_bytes_at_most) {
  std::vector<settlement> batch;
  for (int i = 0; i < 64; ++i) batch.push_back(of(std::to_string(i), max_bytes_per_call / 64));
  const auto found = split_settlements(batch);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].size(), 63u);
  EXPECT_EQ(found[1].size(), 1u);
}

TEST(split_settlements, what_is_large_is_taken_alone_after_the_others) {
  EXPECT_EQ(split_settlements({of("a", max_shared_payload + 1), of("b"), of("c", 2 * max_bytes_per_call),
                               of("d", max_shared_payload)}),
            (parts{{1, 3}, {0}, {2}}));
}

}  // namespace
}  // namespace quarq::broker::redis_common
