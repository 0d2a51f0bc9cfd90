// Paths of a client and a worker at a real store.
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/msgpack.hpp>
#include <quarq/queue.hpp>
#include <quarq/run.hpp>

#include "../tasks.hpp"
#include "broker/broker.hpp"
#include "recorder.hpp"

namespace quarq::bench::instructions {
namespace {

// Short walks, and many of them: how often the server's answers come in pieces is left to the machine. What is enqueued
// suffices for the claims.
constexpr int walks = 12;
constexpr std::size_t bulk = 250, batch = 250;

// What is enqueued one by one, or in a file, is not counted: how often a timer ends or a thread sleeps meanwhile depends
// on the machine.
awaitable<void> count_enqueueing(recorder& to, std::string store, std::string url) {
  queue q(url, "counted");
  const bool counts = store == "redis";
  for (int i = 0; i < walks; ++i) {
    if (counts) to.begin();
    std::vector<call<void>> calls;
    calls.reserve(bulk);
    for (std::size_t k = 0; k < bulk; ++k) calls.push_back(forget(argument()));
    auto sent = co_await q.enqueue(std::move(calls));
    if (counts) to.end(store + ": enqueue in bulk", bulk);
  }
}

std::vector<broker::settlement> successes(const broker::claim_result& of) {
  std::vector<broker::settlement> ends;
  for (const auto& job : of.jobs) {
    auto& one = ends.emplace_back();
    one.id = job.id;
    one.outcome = std::string(100, 'r');
    one.keep = std::chrono::hours(1);
  }
  return ends;
}

// Of the jobs that were enqueued before.
awaitable<void> count_claims(recorder& to, std::string store, std::string url) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto at = broker::open(url, loop);
  const broker::lease held{"counted", "token"};
  broker::worker_lease of_worker(held);
  broker::lease_options terms;
  terms.duration = std::chrono::minutes(10);
  broker::worker_events events;
  co_await at->open_lease(std::move(of_worker), std::move(terms), std::move(events));
  for (int i = 0; i < walks; ++i) {
    to.begin();
    const auto claimed = co_await at->claim(held, batch);
    to.end(store + ": claim", batch);
    if (claimed.jobs.size() != batch) throw std::runtime_error("a claim brought too few jobs");
    auto ends = successes(claimed);
    to.begin();
    const auto still_held = co_await at->settle(held, std::move(ends));
    to.end(store + ": settle", batch);
    if (std::count(still_held.begin(), still_held.end(), true) != static_cast<std::ptrdiff_t>(batch))
      throw std::runtime_error("jobs were not held any more");
  }
  broker::worker_lease again(held);
  co_await at->close_lease(std::move(again));
}

}  // namespace

void count_store(recorder& to, const std::string& store, const std::string& url) {
  run(count_enqueueing(to, store, url));
  run(count_claims(to, store, url));
}

}  // namespace quarq::bench::instructions
