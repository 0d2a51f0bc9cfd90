// Processes that write a file are killed at any moment: what they were told is safe is there.
#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "broker/broker.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

namespace {

using namespace std::chrono_literals;

/// Lets the writer go on until it has acknowledged `count` ids, kills it, and gives all it acknowledged.
std::vector<std::string> acknowledged_before_kill(process& writer, std::size_t count) {
  const bool wrote = eventually([&] { return writer.lines().size() >= count; }, default_timeout);
  if (!wrote) throw std::runtime_error("the writer did not acknowledge enough:\n" + writer.log());
  writer.kill();
  return writer.lines();
}

awaitable<std::set<std::string>> claim_everything(std::string url) {
  auto loop = co_await boost::asio::this_coro::executor;
  auto store = broker::open(url, loop);
  broker::lease held;
  held.queue = "q";
  held.token = "reader";
  broker::worker_events events;
  co_await store->open_lease(held, broker::lease_options(), std::move(events));
  std::set<std::string> ids;
  for (bool more = true; more;) {
    auto claimed = co_await store->claim(held, 1'000);
    more = !claimed.jobs.empty();
    for (auto& one : claimed.jobs) {
      const bool fresh = ids.insert(one.id).second;
      EXPECT_TRUE(fresh) << one.id << " came twice";
      EXPECT_TRUE(one.record.size() >= 100 && one.record == std::string(one.record.size(), 'r')) << one.id;
    }
  }
  co_return ids;
}

}  // namespace

TEST(sqlite_writer_killed, in_the_midst_of_writing_loses_nothing_acknowledged) {
  std::mt19937 random(std::random_device{}());
  temp_dir folder;
  const auto file = folder / "jobs.db";
  std::vector<std::string> acknowledged;
  for (int round = 0; round < 8; ++round) {
    process one({program("sqlite_enqueuer"), file, "a" + std::to_string(round)});
    process two({program("sqlite_enqueuer"), file, "b" + std::to_string(round)});
    const auto count = std::uniform_int_distribution<std::size_t>(1, 300)(random);
    for (auto* writer : {&one, &two}) {
      const auto ids = acknowledged_before_kill(*writer, count);
      acknowledged.insert(acknowledged.end(), ids.begin(), ids.end());
    }
  }
  const auto there = run_on_loop(claim_everything("sqlite:" + file));
  EXPECT_GE(acknowledged.size(), 16u);
  for (const auto& id : acknowledged)
    EXPECT_TRUE(there.contains(id)) << id << " was acknowledged and is lost";
}

}  // namespace quarq::test
