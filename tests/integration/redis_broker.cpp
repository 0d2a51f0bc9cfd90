// What is true of the Redis broker alone: its keys, and what its server must be.
#include "integration/redis_broker.hpp"

#include <algorithm>

#include <quarq/errors.hpp>

#include "broker/redis_common/server_checks.hpp"

namespace quarq::test::redis_broker_tests {

// ---- names

TEST(redis_broker, a_queue_name_can_not_end_the_hash_tag) {
  EXPECT_EQ(broker::redis::key_prefix("mails"), "quarq:{mails}:");
  EXPECT_EQ(broker::redis::key_prefix("a}b{c%"), "quarq:{a%7Db%7Bc%25}:");
  EXPECT_THROW(broker::redis::key_prefix(""), usage_error);
}

// ---- the server

TEST(redis_broker, an_old_server_is_refused_by_its_version) {
  EXPECT_THROW(broker::redis_common::check_version("# Server\r\nredis_version:6.0.16\r\nx:y\r\n"),
               broker_error);
  EXPECT_THROW(broker::redis_common::check_version("# Server\r\nredis_version:5.0.14\r\n"), broker_error);
  EXPECT_NO_THROW(broker::redis_common::check_version("# Server\r\nredis_version:6.2.0\r\n"));
  EXPECT_NO_THROW(broker::redis_common::check_version("# Server\r\nredis_version:10.0.1\r\n"));
  EXPECT_NO_THROW(broker::redis_common::check_version(""));
}

REDIS_TEST(a_server_that_writes_nothing_to_disk_is_reported, {}) {
  auto store = open(server, loop);
  auto lines = co_await store->warnings();
  EXPECT_EQ(lines.size(), 1u) << all_lines(lines);
  EXPECT_NE(all_lines(lines).find("appendonly yes"), std::string::npos) << all_lines(lines);
  const strings save = {"CONFIG", "SET", "save", "3600 1"};
  server.command(save);
  lines = co_await store->warnings();
  EXPECT_TRUE(lines.empty()) << all_lines(lines);
}

REDIS_TEST(what_could_not_be_checked_is_said, {}) {
  const strings no_config = {"ACL", "SETUSER", "default", "-config"};
  server.command(no_config);
  auto store = open(server, loop);
  auto lines = co_await store->warnings();
  EXPECT_NE(all_lines(lines).find("could not be checked"), std::string::npos) << all_lines(lines);
  const strings no_info = {"ACL", "SETUSER", "default", "-info"};
  server.command(no_info);
  auto other = open(server, loop);
  lines = co_await other->warnings();
  EXPECT_NE(all_lines(lines).find("could not be checked"), std::string::npos) << all_lines(lines);
  co_await enqueue_ids(*other, "q", strings(1, "job"));
}

REDIS_TEST(eviction_is_reported, appendonly()) {
  auto store = open(server, loop);
  const strings any = {"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"};
  server.command(any);
  auto lines = co_await store->warnings();
  EXPECT_TRUE(lines.empty()) << "without a limit nothing is evicted: " << all_lines(lines);
  const strings limit = {"CONFIG", "SET", "maxmemory", "100mb"};
  server.command(limit);
  lines = co_await store->warnings();
  EXPECT_NE(all_lines(lines).find("allkeys-lru"), std::string::npos) << all_lines(lines);
  const strings some = {"CONFIG", "SET", "maxmemory-policy", "volatile-ttl"};
  server.command(some);
  lines = co_await store->warnings();
  EXPECT_NE(all_lines(lines).find("kept results"), std::string::npos) << all_lines(lines);
  const strings none = {"CONFIG", "SET", "maxmemory-policy", "noeviction"};
  server.command(none);
  lines = co_await store->warnings();
  EXPECT_TRUE(lines.empty()) << all_lines(lines);
}

REDIS_TEST(another_format_is_refused_in_a_clear_line, {}) {
  const strings newer = {"SET", "quarq:{q}:format", "5"};
  server.command(newer);
  auto store = open(server, loop);
  auto text = co_await error_of<broker_error>(enqueue_one(*store, "q", job_named("a")));
  EXPECT_NE(text.find("quarq:{q}:* have format version 5"), std::string::npos) << text;
  text = co_await error_of<broker_error>(new_worker(store, "q"));
  EXPECT_NE(text.find("format version 5"), std::string::npos) << text;
  text = co_await error_of<broker_error>(store->wait_ended("q", "a"));
  EXPECT_NE(text.find("format version 5"), std::string::npos) << text;
  EXPECT_NE(text.find("use a newer quarq"), std::string::npos) << text;
  const strings older = {"SET", "quarq:{q}:format", "3"};
  server.command(older);
  text = co_await error_of<broker_error>(enqueue_one(*store, "q", job_named("a")));
  EXPECT_NE(text.find("end these jobs with the quarq that made them"), std::string::npos) << text;
  co_await enqueue_ids(*store, "another", strings(1, "a"));
  const strings expected = {"quarq:queues", "quarq:{another}:format", "quarq:{another}:jobs",
                            "quarq:{another}:ready:5", "quarq:{q}:format"};
  auto keys = server.keys();
  std::erase_if(keys, [](const auto& key) { return key.find(":sender:") != std::string::npos; });
  EXPECT_EQ(keys, expected);
}

REDIS_TEST(a_flushed_script_cache_is_filled_again, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  for (int round = 0; round < 3; ++round) {
    const strings flush = {"SCRIPT", "FLUSH"};
    server.command(flush);
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    server.command(flush);
    auto ids = co_await claim_ids(worker, 10);
    EXPECT_EQ(ids, strings(1, "job"));
    server.command(flush);
    const bool held = co_await settle_one(worker, end("job"));
    EXPECT_TRUE(held);
  }
}

REDIS_TEST(a_call_is_remembered_until_a_later_one_says_that_its_answer_has_come, {}) {
  auto store = open(server, loop);
  for (int number = 1; number <= 40; ++number) {
    const auto text = std::to_string(number);
    co_await enqueue_ids(*store, "q", strings(1, "job" + text));
    const auto keys = server.keys();
    const auto sender = std::find_if(
        keys.begin(), keys.end(), [](const auto& key) { return key.find(":sender:") != std::string::npos; });
    const strings is_known = {"HEXISTS", sender == keys.end() ? "" : *sender, text};
    EXPECT_EQ(server.command(is_known).integer, 1) << text;
  }
}

// ---- no key stays behind

REDIS_TEST(when_all_jobs_have_ended_only_the_queue_itself_is_left, {}) {
  auto store = open(server, loop);
  auto elsewhere = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  auto many = numbered_jobs(40);
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i].priority = static_cast<int>(i % 10);
    if (i % 4 == 0) many[i].delay = 5ms;
  }
  co_await store->enqueue("q", many);
  std::vector<std::shared_ptr<wait_under_way>> waits;
  for (std::size_t i = 0; i < many.size(); i += 3)
    waits.push_back(start_waiting(loop, elsewhere, "q", many[i].id));
  co_await elsewhere->queues();
  co_await claim_until(worker, 40);
  co_await store->cancel("q", many[1].id, "why", 20ms);
  co_await store->cancel("q", many[6].id, "why", 0ms);
  std::vector<settlement> batch;
  for (std::size_t i = 0; i < many.size(); ++i) {
    switch (i % 5) {
      case 0:
        batch.push_back(retry_after(many[i].id, 1ms));
        break;
      case 1:
        batch.push_back(hand_back(many[i].id));
        break;
      case 2:
        batch.push_back(end(many[i].id, job_state::dead, "why"));
        break;
      case 3:
        batch.push_back(end(many[i].id, job_state::succeeded, "42", 20ms));
        break;
      default:
        batch.push_back(end(many[i].id));
    }
  }
  co_await store->settle(worker.held, batch);
  co_await store->requeue("q", strings(1, many[2].id));
  co_await store->purge("q", job_state::dead);
  auto rest = co_await claim_until(worker, 15);
  for (const auto& one : rest) co_await settle_one(worker, end(one.id));
  auto all_notified = [&] {
    return std::all_of(waits.begin(), waits.end(), [](const auto& one) { return one->over; });
  };
  co_await until(all_notified);
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  strings keys;
  const auto settled_by = "quarq:{q}:settled:" + worker.held.token;
  const strings expected = {"quarq:cards",      "quarq:heard", "quarq:leases",     "quarq:queues",
                            "quarq:served",     "quarq:tasks", "quarq:{q}:format", "quarq:{q}:idle",
                            "quarq:{q}:leases", settled_by};
  while (keys != expected && std::chrono::steady_clock::now() < deadline) {
    co_await renew(worker);  // tidies up what was kept
    auto none = co_await claim_ids(worker, 1);
    EXPECT_TRUE(none.empty());
    keys = server.keys();
    std::erase(keys, "quarq:spared");  // there after a silence, as on a machine that is busy
    // Remembers the numbers of a client's last calls, for ten minutes; and what it was told, for one.
    std::erase_if(keys, [&](const auto& key) {
      const strings ttl = {"PTTL", key};
      const bool is_of_a_client =
          key.find(":sender:") != std::string::npos || key.find(":mail:") != std::string::npos;
      return is_of_a_client && server.command(ttl).integer > 0;
    });
    co_await sleep_for(2ms);
  }
  EXPECT_EQ(keys, expected);
  co_await store->close_lease(worker.held);
  keys = server.keys();
  std::erase_if(keys, [](const auto& key) {
    return key.find(":sender:") != std::string::npos || key.find(":mail:") != std::string::npos;
  });
  const strings closed = {"quarq:queues", "quarq:{q}:format"};
  EXPECT_EQ(keys, closed);
}

REDIS_TEST(kept_results_go_by_themselves_when_no_worker_comes, {}) {
  auto store = open(server, loop);
  auto worker = co_await new_worker(store, "q");
  std::vector<settlement> ends;
  for (const auto state : {job_state::succeeded, job_state::failed, job_state::cancelled, job_state::expired})
    ends.push_back(end(std::string(to_string(state)), state, "42", 30ms));
  for (const auto& one : ends) co_await enqueue_ids(*store, "q", strings(1, one.id));
  co_await claim_until(worker, ends.size());
  co_await store->settle(worker.held, ends);
  co_await store->close_lease(worker.held);
  auto gone = [&] {
    const auto keys = server.keys();
    return std::none_of(keys.begin(), keys.end(), [](const auto& key) {
      return (key.find("results") != std::string::npos || key.find("ended") != std::string::npos);
    });
  };
  co_await until(gone);
}

}  // namespace quarq::test::redis_broker_tests
