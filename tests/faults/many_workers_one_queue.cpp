// Fifty workers and more claim from one queue, and as long as none of them dies no job runs twice.
#include <algorithm>

#include "async/auto_reset_event.hpp"
#include "base/ids.hpp"
#include "faults/fault_test.hpp"

namespace quarq::test {
namespace {

/// A worker that only claims and settles, in this process, with a lease of its own.
struct bare_worker {
  explicit bare_worker(const boost::asio::any_io_executor& loop) : ready(loop) {}
  broker::lease held{"default", base::make_id()};
  async::auto_reset_event ready;
  strings claimed;
};

/// What came of them.
struct bare_results {
  std::vector<strings> claimed;  ///< by worker
  std::size_t refused = 0;
};

/// What the bare workers share. Lives in their loop.
struct bare_crew {
  std::shared_ptr<broker::broker> store;
  std::list<bare_worker> workers;
  std::size_t refused = 0;
  bool over = false;
};

broker::settlement success(std::string id) {
  broker::settlement s;
  s.id = std::move(id);
  return s;
}

awaitable<void> open_lease_of(bare_crew& crew, bare_worker& w) {
  broker::lease_options terms;
  terms.duration = 10min;
  broker::worker_events events;
  events.work_ready = [&w](const std::string&) { w.ready.set(); };
  co_await crew.store->open_lease(w.held, std::move(terms), std::move(events));
}

awaitable<void> work(bare_crew& crew, bare_worker& w, std::size_t max) {
  co_await open_lease_of(crew, w);
  while (!crew.over) {
    const auto claim = co_await crew.store->claim(w.held, max);
    std::vector<broker::settlement> batch;
    for (const auto& job : claim.jobs) {
      w.claimed.push_back(job.id);
      batch.push_back(success(job.id));
    }
    if (!batch.empty()) {
      const auto held = co_await crew.store->settle(w.held, std::move(batch));
      crew.refused += static_cast<std::size_t>(std::count(held.begin(), held.end(), false));
    } else {
      co_await w.ready.wait_for(50ms);
    }
  }
  co_await crew.store->close_lease(w.held);
}

awaitable<void> end_when_drained(bare_crew& crew) {
  while (true) {
    const auto queues = co_await crew.store->queues();
    const auto busy = [](const broker::queue_summary& q) { return q.queued + q.deferred + q.running > 0; };
    crew.over = std::none_of(queues.begin(), queues.end(), busy);
    if (crew.over) break;
    co_await sleep_for(20ms);
  }
  for (auto& w : crew.workers) w.ready.set();
}

awaitable<void> work_in_fifty_leases(std::string url, bare_results& results) {
  const auto loop = co_await boost::asio::this_coro::executor;
  bare_crew crew;
  crew.store = broker::open(url, loop);
  std::vector<awaitable<void>> all;
  for (std::size_t i = 0; i < 50; ++i) {
    auto& w = crew.workers.emplace_back(loop);
    all.push_back(work(crew, w, 1 + i % 10));
  }
  all.push_back(end_when_drained(crew));
  co_await gather(std::move(all));
  for (auto& w : crew.workers) results.claimed.push_back(std::move(w.claimed));
  results.refused = crew.refused;
}

awaitable<strings> enqueue_notes(queue q, int count) {
  std::vector<call<void>> calls;
  for (int i = 0; i < count; ++i) calls.push_back(note_nothing(i));
  const auto jobs = co_await q.enqueue(std::move(calls));
  strings ids;
  for (const auto& j : jobs) ids.push_back(j->id());
  co_return ids;
}

class many_workers_one_queue : public fault_test {};

TEST_P(many_workers_one_queue, no_job_runs_twice) {
  constexpr int count = sanitized ? 1'000 : 5'000;
  for (int i = 0; i < 3; ++i) start_worker({"--concurrency", "5"});
  auto ids = with_queue([](const queue& q) { return enqueue_notes(q, count); });
  ASSERT_EQ(ids.size(), std::size_t(count));
  bare_results here;
  run_on_loop(work_in_fifty_leases(url(), here), 2 * soon);

  strings ran;
  for (const auto& claimed : here.claimed) ran.insert(ran.end(), claimed.begin(), claimed.end());
  wait_for_ends(count - ran.size());
  const auto elsewhere = past();
  for (const auto& run : elsewhere.runs()) ran.push_back(run.id);
  std::sort(ran.begin(), ran.end());
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ran, ids) << "jobs ran twice or never";
  EXPECT_EQ(here.refused, 0u);
  const auto idle = std::count(here.claimed.begin(), here.claimed.end(), strings());
  EXPECT_LE(idle, 25) << "most of the fifty got no job";
}

ON_EACH_BROKER(many_workers_one_queue);

}  // namespace
}  // namespace quarq::test
