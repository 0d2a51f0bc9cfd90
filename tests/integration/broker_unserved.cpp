// What a client is told that waits where nobody is there to run its job, on every broker.
#include "clients/queue_impl.hpp"
#include "integration/broker_conformance.hpp"
#include "model/announcement.hpp"
#include "model/record.hpp"

namespace quarq::test::broker_unserved_tests {

namespace {

using queue_ptr = std::shared_ptr<clients::queue_impl>;

/// A client of the queue, and what it was told.
struct notified_client {
  queue_ptr queue;
  std::shared_ptr<strings> notices = std::make_shared<strings>();
  std::shared_ptr<int> waiting = std::make_shared<int>(0);
};

notified_client client_of(const broker_fixture& place, std::string queue) {
  notified_client made;
  made.queue = std::make_shared<clients::queue_impl>(place.url(), std::move(queue));
  made.queue->tell_by([notices = made.notices](const std::string& line) { notices->push_back(line); });
  return made;
}

awaitable<void> wait_for(queue_ptr queue, any_io_executor loop, std::string id) {
  auto end = co_await queue->wait_ended(loop, id);
  EXPECT_TRUE(end.has_value());
}

/// Enqueues a job of the task "mail", and begins to wait for it.
awaitable<void> send_and_wait(const notified_client& by, any_io_executor loop, std::string id) {
  model::record r;
  r.task = "mail";
  r.arguments = "\x90";
  auto job = job_named(id);
  job.record = model::encode(r);
  const auto store = by.queue->on(loop);
  co_await enqueue_one(*store, by.queue->name(), std::move(job));
  start(loop, wait_for(by.queue, loop, id), by.waiting);
}

awaitable<void> open_lease_of(std::shared_ptr<broker::broker> store, lease held, strings tasks) {
  lease_options terms;
  terms.duration = 60s;
  terms.announcement = model::encode_announcement(std::move(tasks));
  broker::worker_events events;
  co_await store->open_lease(held, terms, std::move(events));
}

awaitable<void> end_jobs(notified_client& of, any_io_executor loop) {
  const auto store = of.queue->on(loop);
  for (const char* id : {"first", "second"}) {
    const auto name = of.queue->name();
    auto answer = co_await cancel(*store, name, name + id, "over", 1h);
    EXPECT_NE(answer, cancel_result::not_found);
  }
  auto over = [&] { return *of.waiting == 0; };
  co_await until(over);
}

}  // namespace

BROKER_TEST(a_client_that_waits_where_nobody_would_run_its_job_is_told_so_once) {
  auto store = place.open(loop);
  const lease able{"able", "A"}, unable{"unable", "U"};
  const strings two = {"mail", "more"}, another = {"add"};
  co_await open_lease_of(store, able, two);
  co_await open_lease_of(store, unable, another);
  auto served = client_of(place, "able"), not_handled = client_of(place, "unable"),
       alone = client_of(place, "empty");
  for (const auto* each : {&served, &not_handled, &alone}) {
    // Two jobs of one task are worth one line.
    for (const char* id : {"first", "second"}) co_await send_and_wait(*each, loop, each->queue->name() + id);
  }
  auto both_notified = [&] { return !not_handled.notices->empty() && !alone.notices->empty(); };
  co_await until(both_notified);
  EXPECT_EQ(not_handled.notices->front(),
            "job unablefirst (task mail) waits, and no live worker of queue unable handles task mail");
  EXPECT_EQ(alone.notices->front(),
            "job emptyfirst (task mail) waits, and no live worker serves queue empty");
  for (auto* each : {&served, &not_handled, &alone}) co_await end_jobs(*each, loop);
  EXPECT_EQ(not_handled.notices->size(), 1u);
  EXPECT_EQ(alone.notices->size(), 1u);
  EXPECT_TRUE(served.notices->empty());
}

BROKER_TEST(a_client_that_waits_for_a_job_of_a_paused_queue_is_told_so) {
  auto store = place.open(loop);
  const lease able{"able", "A"};
  co_await open_lease_of(store, able, strings(1, "mail"));
  co_await store->set_paused("able", true);
  auto client = client_of(place, "able");
  for (const char* id : {"first", "second"}) co_await send_and_wait(client, loop, std::string("able") + id);
  auto is_notified = [&] { return !client.notices->empty(); };
  co_await until(is_notified);
  EXPECT_EQ(client.notices->front(), "job ablefirst (task mail) waits, and queue able is paused");
  co_await end_jobs(client, loop);
  EXPECT_EQ(client.notices->size(), 1u);
}

}  // namespace quarq::test::broker_unserved_tests
