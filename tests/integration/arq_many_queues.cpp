// The arq broker with a worker of very many queues: what it costs hardly depends on their number.
#include <chrono>
#include <set>
#include <string>

#include <quarq/gather.hpp>

#include "integration/arq_broker.hpp"

namespace quarq::test::arq_broker_tests {

ARQ_TEST(looks_for_jobs_of_python_in_very_many_queues_are_one_call, {}) {
  const auto store = open_arq(server, loop);
  strings queues;
  for (int i = 0; i < 200; ++i) queues.push_back("queue" + std::to_string(i));
  const broker::worker_lease held("W", queues);
  const lease_options terms;
  broker::worker_events events;
  const auto called_to = std::make_shared<std::set<std::string>>();
  events.work_ready = [called_to](const std::string& queue) { called_to->insert(queue); };
  co_await store->open_lease(held, terms, events);
  std::vector<awaitable<broker::claim_result>> claims;
  for (const auto& queue : queues) claims.push_back(store->claim({queue, "W"}, 1));
  co_await gather(std::move(claims));

  const auto before = server.calls_of("evalsha");
  const auto since = std::chrono::steady_clock::now();
  ask(server, {"SET", "arq:job:job", python_payload()});
  ask(server, {"ZADD", queues.back(), std::to_string(now_ms()), "job"});
  auto found = [&] { return called_to->contains(queues.back()); };
  co_await until(found);
  const auto looks = server.calls_of("evalsha") - before;
  const auto passed = std::chrono::steady_clock::now() - since;
  EXPECT_EQ(*called_to, std::set<std::string>{queues.back()});
  EXPECT_GE(looks, 1);
  EXPECT_LE(looks, passed / 5ms + 20);
}

ARQ_TEST(aborts_are_found_in_whichever_queue_of_very_many_they_are, {}) {
  const auto store = open_arq(server, loop);
  strings queues;
  for (int i = 0; i < 50; ++i) queues.push_back("queue" + std::to_string(i));
  const broker::worker_lease held("W", queues);
  const lease_options terms;
  broker::worker_events events;
  const auto aborted = std::make_shared<std::set<std::string>>();
  events.cancel_requested = [aborted](const std::string& queue, const std::string& id) {
    aborted->insert(id + " in " + queue);
  };
  co_await store->open_lease(held, terms, events);
  for (const char* queue : {"queue3", "queue41"}) {
    const auto id = std::string("job of ") + queue;
    co_await enqueue_ids(*store, queue, strings(1, id));
    const lease here{queue, "W"};
    co_await store->claim(here, 1);
    ask(server, {"ZADD", "arq:abort", std::to_string(now_ms()), id});
  }
  const std::set<std::string> expected = {"job of queue3 in queue3", "job of queue41 in queue41"};
  auto all = [&] { return *aborted == expected; };
  co_await until(all);
  EXPECT_EQ(*aborted, expected);
}

}  // namespace quarq::test::arq_broker_tests
