// A worker's one lease over several queues, on every broker.
#include <algorithm>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>

#include "integration/broker_conformance.hpp"

namespace quarq::test::broker_worker_leases_tests {

namespace {

using broker::worker_lease;

/// A worker of the queues "mail" and "files".
struct two_queue_worker {
  std::shared_ptr<broker::broker> store;
  worker_lease held;
  std::shared_ptr<strings> heard = std::make_shared<strings>();

  lease in(const char* queue) const { return {queue, held.token}; }
};

awaitable<two_queue_worker> new_two_queue_worker(std::shared_ptr<broker::broker> store, std::string token,
                                                 milliseconds duration = 60s) {
  two_queue_worker made;
  made.store = store;
  made.held = worker_lease(token, {"mail", "files"});
  broker::worker_events events;
  events.work_ready = [heard = made.heard](const std::string& queue) {
    heard->push_back("work in " + queue);
  };
  events.cancel_requested = [heard = made.heard](const std::string& queue, const std::string& id) {
    heard->push_back("cancel " + queue + " " + id);
  };
  lease_options terms;
  terms.duration = duration;
  terms.worker_info = "info of " + token;
  terms.announcement = "what " + token + " handles";
  co_await store->open_lease(made.held, terms, std::move(events));
  co_return made;
}

awaitable<broker::renewal> renew_both(const two_queue_worker& worker, milliseconds duration = 60s) {
  lease_options terms;
  terms.duration = duration;
  terms.worker_info = "info of " + worker.held.token;
  auto answer = co_await worker.store->renew(worker.held, terms);
  co_return answer;
}

/// Claims one job of the queue, and gives its id; "": there is none.
awaitable<std::string> claim_one(const two_queue_worker& worker, const char* queue) {
  const auto held = worker.in(queue);
  auto claimed = co_await worker.store->claim(held, 1);
  std::string id;
  if (!claimed.jobs.empty()) id = claimed.jobs[0].id;
  co_return id;
}

awaitable<bool> settle_in(const two_queue_worker& worker, const char* queue, settlement one) {
  const auto held = worker.in(queue);
  std::vector<settlement> batch;
  batch.push_back(std::move(one));
  auto answers = co_await worker.store->settle(held, std::move(batch));
  co_return answers.at(0);
}

/// Puts a job of this id into both queues, and lets the worker claim both.
awaitable<void> give_one_of_each(const two_queue_worker& worker) {
  for (const char* queue : {"mail", "files"}) {
    co_await enqueue_ids(*worker.store, queue, strings(1, std::string("of ") + queue));
    auto id = co_await claim_one(worker, queue);
    EXPECT_EQ(id, std::string("of ") + queue);
  }
}

}  // namespace

BROKER_TEST(one_renewal_keeps_the_jobs_of_all_queues_of_a_worker) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_two_queue_worker(store, "W", 10ms);
  co_await give_one_of_each(worker);
  co_await until_run_out(10ms);
  auto answer = co_await renew_both(worker);
  EXPECT_TRUE(answer.held);
  auto other = co_await new_two_queue_worker(elsewhere, "O");
  co_await renew_both(other);
  for (const char* queue : {"mail", "files"}) {
    auto none = co_await claim_one(other, queue);
    EXPECT_EQ(none, "");
    const bool held = co_await settle_in(worker, queue, end(std::string("of ") + queue));
    EXPECT_TRUE(held) << queue;
  }
}

BROKER_TEST(the_jobs_of_a_lost_worker_come_back_in_all_its_queues) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto lost = co_await new_two_queue_worker(store, "L", 40ms);
  co_await give_one_of_each(lost);
  // One that serves only one of the queues finds it all the same.
  auto other = co_await new_worker(elsewhere, "mail");
  auto looks = co_await new_worker(elsewhere, "files");
  strings seen;
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (seen.size() < 2 && std::chrono::steady_clock::now() < deadline) {
    co_await renew(other);
    for (const auto* each : {&other, &looks}) {
      auto claimed = co_await each->store->claim(each->held, 1);
      for (const auto& job : claimed.jobs) {
        EXPECT_EQ(job.losses, 1);
        seen.push_back(job.id);
      }
    }
    co_await sleep_for(5ms);
  }
  std::sort(seen.begin(), seen.end());
  const strings both = {"of files", "of mail"};
  EXPECT_EQ(seen, both);
  auto answer = co_await renew_both(lost, 40ms);
  EXPECT_FALSE(answer.held);
  for (const char* queue : {"mail", "files"}) {
    const bool held = co_await settle_in(lost, queue, end(std::string("of ") + queue));
    EXPECT_FALSE(held) << queue;
    auto live = co_await store->workers(queue);
    EXPECT_EQ(live.size(), 1u) << queue;
  }
}

BROKER_TEST(cancel_requests_reach_a_worker_for_each_of_its_queues) {
  auto store = place.open(loop);
  auto elsewhere = place.open_apart(loop);
  auto worker = co_await new_two_queue_worker(store, "W");
  co_await give_one_of_each(worker);
  for (const char* queue : {"mail", "files"}) {
    auto answer = co_await cancel(*elsewhere, queue, std::string("of ") + queue, "why", 1h);
    EXPECT_EQ(answer, cancel_result::requested);
  }
  auto notified = [&] {
    return std::count_if(worker.heard->begin(), worker.heard->end(),
                         [](const auto& one) { return one.starts_with("cancel"); }) >= 2;
  };
  co_await until(notified);
  EXPECT_NE(std::find(worker.heard->begin(), worker.heard->end(), "cancel mail of mail"),
            worker.heard->end());
  EXPECT_NE(std::find(worker.heard->begin(), worker.heard->end(), "cancel files of files"),
            worker.heard->end());
  auto answer = co_await renew_both(worker);
  strings wanted;
  for (const auto& one : answer.cancel_requests) wanted.push_back(one.queue + ": " + one.id);
  std::sort(wanted.begin(), wanted.end());
  const strings both = {"files: of files", "mail: of mail"};
  EXPECT_EQ(wanted, both);
  // What is settled is asked for no more.
  co_await settle_in(worker, "mail", end("of mail", job_state::cancelled, "stopped"));
  answer = co_await renew_both(worker);
  EXPECT_EQ(answer.cancel_requests.size(), 1u);
  EXPECT_EQ(answer.cancel_requests.at(0).queue, "files");
  co_await settle_in(worker, "files", retry_after("of files", 1h));
  auto state = co_await state_of(*store, "files", "of files");
  EXPECT_TRUE(state == job_state::cancelled);
  answer = co_await renew_both(worker);
  EXPECT_TRUE(answer.cancel_requests.empty());
}

// As a worker's own thread does while its loop is blocked.
BROKER_TEST(another_connection_may_renew_a_lease_and_takes_nothing_from_the_holders_answers) {
  auto store = place.open(loop);
  auto worker = co_await new_two_queue_worker(store, "W");
  co_await give_one_of_each(worker);
  for (const char* queue : {"mail", "files"})
    co_await cancel(*store, queue, std::string("of ") + queue, "why", 1h);
  co_await enqueue_ids(*store, "mail", strings(1, "later"));
  {
    auto apart = place.open_apart(loop);
    lease_options terms;
    terms.duration = 60s;
    terms.worker_info = "last said";
    terms.takes_jobs = false;
    for (int i = 0; i < 4; ++i) {
      auto answer = co_await apart->renew(worker.held, terms);
      EXPECT_TRUE(answer.held);
      EXPECT_EQ(answer.cancel_requests.size(), 2u);
    }
    auto live = co_await apart->workers("mail");
    EXPECT_EQ(live.at(0).worker_info, "last said");
  }
  bool has_ready = false;
  for (int i = 0; i < 2; ++i) {  // a broker may look at one queue at a time
    auto answer = co_await renew_both(worker);
    EXPECT_TRUE(answer.held);
    EXPECT_EQ(answer.cancel_requests.size(), 2u);
    has_ready = has_ready || answer.work_ready == strings(1, "mail");
  }
  EXPECT_TRUE(has_ready);
  for (const char* queue : {"mail", "files"}) {
    const bool held = co_await settle_in(worker, queue, end(std::string("of ") + queue));
    EXPECT_TRUE(held) << queue;
  }
  auto next = co_await claim_one(worker, "mail");
  EXPECT_EQ(next, "later");
}

BROKER_TEST(another_connection_does_not_bring_a_closed_lease_back) {
  auto store = place.open(loop);
  auto worker = co_await new_two_queue_worker(store, "W");
  co_await store->close_lease(worker.held);
  auto apart = place.open_apart(loop);
  lease_options terms;
  terms.takes_jobs = false;
  auto answer = co_await apart->renew(worker.held, terms);
  EXPECT_FALSE(answer.held);
  auto live = co_await apart->workers("mail");
  EXPECT_TRUE(live.empty());
}

BROKER_TEST(closing_a_lease_gives_back_the_jobs_of_all_its_queues) {
  auto store = place.open(loop);
  auto worker = co_await new_two_queue_worker(store, "W");
  co_await give_one_of_each(worker);
  auto other = co_await new_two_queue_worker(store, "O");
  co_await store->close_lease(worker.held);
  for (const char* queue : {"mail", "files"}) {
    const auto held = other.in(queue);
    auto claimed = co_await store->claim(held, 1);
    EXPECT_EQ(claimed.jobs.size(), 1u) << queue;
    for (const auto& job : claimed.jobs) EXPECT_EQ(job.attempts, 1) << queue;
    const auto closed = worker.in(queue);
    auto text = co_await error_of<broker_error>(store->claim(closed, 1));
    EXPECT_NE(text.find("lease"), std::string::npos) << text;
  }
}

BROKER_TEST(renewals_hear_of_ready_jobs_in_each_queue) {
  auto store = place.open(loop);
  auto worker = co_await new_two_queue_worker(store, "W");
  for (const char* queue : {"mail", "files"}) {
    co_await enqueue_ids(*store, queue, strings(1, std::string("of ") + queue));
  }
  std::set<std::string> ready;
  for (int i = 0; i < 2; ++i) {
    auto answer = co_await renew_both(worker);
    ready.insert(answer.work_ready.begin(), answer.work_ready.end());
  }
  EXPECT_EQ(ready.size(), 2u) << "a queue with each renewal is looked at, at least";
}

BROKER_TEST(operators_see_a_worker_in_each_of_its_queues) {
  auto store = place.open(loop);
  auto worker = co_await new_two_queue_worker(store, "W");
  co_await enqueue_ids(*store, "mail", strings(1, "job"));
  co_await claim_one(worker, "mail");
  co_await renew_both(worker);
  for (const char* queue : {"mail", "files"}) {
    auto live = co_await store->workers(queue);
    EXPECT_EQ(live.size(), 1u);
    if (live.empty()) continue;
    EXPECT_EQ(live[0].token, "W");
    EXPECT_EQ(live[0].worker_info, "info of W");
    EXPECT_EQ(live[0].announcement, "what W handles");
    EXPECT_EQ(live[0].running, queue == std::string("mail") ? 1u : 0u);
    auto summary = co_await summary_of(*store, queue);
    EXPECT_EQ(summary.workers, 1u);
    EXPECT_EQ(summary.running, queue == std::string("mail") ? 1u : 0u);
  }
  // Jobs are held in the queue they are of, although the token is the same.
  if (place.powers().an_id_in_each_queue) {
    const bool elsewhere = co_await settle_in(worker, "files", end("job"));
    EXPECT_FALSE(elsewhere);
  }
  const auto of_files = worker.in("files");
  co_await store->reconcile(of_files, strings());
  const bool held = co_await settle_in(worker, "mail", end("job"));
  EXPECT_TRUE(held);
}

strings many_queues(std::size_t count) {
  strings queues;
  for (std::size_t i = 0; i < count; ++i) queues.push_back("queue" + std::to_string(i));
  return queues;
}

// All at the same time: on a busy machine each would take long.
awaitable<std::size_t> claim_in_all(std::shared_ptr<broker::broker> store, const worker_lease& held) {
  std::vector<awaitable<broker::claim_result>> claims;
  for (const auto& queue : held.queues) claims.push_back(store->claim({queue, held.token}, 1));
  const auto all = co_await gather(std::move(claims));
  std::size_t jobs = 0;
  for (const auto& one : all) jobs += one.jobs.size();
  co_return jobs;
}

awaitable<void> enqueue_in_all(std::shared_ptr<broker::broker> store, const strings& queues) {
  std::vector<awaitable<void>> all;
  for (const auto& queue : queues) all.push_back(enqueue_ids(*store, queue, strings(1, "of " + queue)));
  co_await gather(std::move(all));
}

// Twice as many as a renewal gives back at once, on Redis.
BROKER_TEST(a_lost_worker_of_very_many_queues_loses_its_jobs_in_all_of_them) {
  auto store = place.open(loop);
  const auto queues = many_queues(200);
  const worker_lease gone("gone", queues), heir("heir", queues);
  lease_options terms;
  terms.duration = 60s;
  co_await store->open_lease(gone, terms, broker::worker_events());
  co_await enqueue_in_all(store, queues);
  const auto taken = co_await claim_in_all(store, gone);
  EXPECT_EQ(taken, queues.size());
  broker::worker_events events;
  const auto called_to = std::make_shared<std::set<std::string>>();
  events.work_ready = [called_to](const std::string& queue) { called_to->insert(queue); };
  co_await store->open_lease(heir, terms, events);
  const auto left = co_await claim_in_all(store, heir);
  EXPECT_EQ(left, 0u);
  EXPECT_TRUE(called_to->empty());

  terms.duration = 1s;
  co_await store->renew(gone, terms);
  terms.duration = 60s;
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (called_to->size() < queues.size() && std::chrono::steady_clock::now() < deadline)
    co_await store->renew(heir, terms);
  EXPECT_EQ(called_to->size(), queues.size());
  const auto given = co_await claim_in_all(store, heir);
  EXPECT_EQ(given, queues.size());
}

BROKER_TEST(renewals_look_for_ready_jobs_in_all_of_very_many_queues) {
  auto store = place.open(loop);
  const auto queues = many_queues(120);
  const worker_lease held("W", queues);
  const lease_options terms;
  co_await store->open_lease(held, terms, broker::worker_events());
  co_await enqueue_in_all(store, queues);
  std::set<std::string> ready;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const auto answer = co_await store->renew(held, terms);
    ready.insert(answer.work_ready.begin(), answer.work_ready.end());
  }
  EXPECT_EQ(ready.size(), queues.size());
}

BROKER_TEST(a_lease_claims_only_in_its_queues) {
  auto store = place.open(loop);
  auto worker = co_await new_two_queue_worker(store, "W");
  const auto elsewhere = worker.in("others");
  auto text = co_await error_of<broker_error>(store->claim(elsewhere, 1));
  EXPECT_NE(text.find("lease"), std::string::npos) << text;
}

}  // namespace quarq::test::broker_worker_leases_tests
