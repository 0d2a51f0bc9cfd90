// What stays in the store grows: jobs that wait, results, large arguments, cancelled ids.
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <quarq/run.hpp>

#include "../child.hpp"
#include "../samples.hpp"
#include "../stopwatch.hpp"
#include "../tasks.hpp"
#include "growth.hpp"

namespace quarq::bench::growth {
namespace {

constexpr std::size_t bulk = 1'000, last = 10'000, drained = 50'000;

double microseconds(double seconds, std::size_t of) {
  return seconds * 1e6 / static_cast<double>(std::max<std::size_t>(of, 1));
}

drain_cost run_worker(store& at, const std::vector<std::string>& queues) {
  std::vector<std::string> words = {"worker",      "--broker", at.url(),        "--burst",
                                    "--log-level", "warn",     "--concurrency", "1000"};
  for (const auto& name : queues) words.insert(words.end(), {"--queue", name});
  const double server = at.server_cpu();
  const stopwatch watch;
  child worker(words);
  const auto used = worker.end(true);
  return {watch.seconds(), used.cpu_seconds + at.server_cpu() - server};
}

struct filling {
  std::string url, name;
  std::size_t jobs = 0, bytes = 0;
  std::chrono::milliseconds delay{0};
  bool with_results = false;
  double last_us = 0;  ///< for each of the last ones
  std::vector<std::string> last_ids;
};

template <class R>
awaitable<void> fill_with(filling& f, task<R(std::string)> what) {
  queue q(f.url, f.name);
  const std::string text(f.bytes, 'x');
  const std::size_t start_of_last = f.jobs - std::min(f.jobs, last);
  stopwatch watch;
  for (std::size_t i = 0; i < f.jobs;) {
    if (i == start_of_last) watch = stopwatch();
    const auto until = i < start_of_last ? start_of_last : f.jobs;
    std::vector<call<R>> calls;
    for (std::size_t k = std::min(bulk, until - i); k > 0; --k, ++i) {
      calls.push_back(what(text));
      if (f.delay.count() > 0) calls.back().delay(f.delay + std::chrono::milliseconds(i));
    }
    auto sent = co_await q.enqueue(std::move(calls));
    if (i > start_of_last) {
      for (const auto& one : sent) f.last_ids.push_back(one->id());
    }
  }
  f.last_us = microseconds(watch.seconds(), f.jobs - start_of_last);
}

filling fill_by(filling f) {
  if (f.with_results)
    run(fill_with(f, measure));
  else
    run(fill_with(f, forget));
  return f;
}

awaitable<void> ping(store& at, std::string name, std::vector<double>& seconds) {
  constexpr std::size_t count = 1'000;
  queue q(at.url(), std::move(name));
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    auto call = measure(argument());
    auto job = co_await q.enqueue(std::move(call));
    const auto n = co_await job.result();
    if (n != 120) throw std::runtime_error("a wrong result");
    // The first tenth warms up.
    if (i >= count / 10) seconds.push_back(watch.seconds());
  }
}

awaitable<void> look_up(queue q, const std::vector<std::string>& ids) {
  for (const auto& id : ids) {
    const auto n = co_await q.find<std::int64_t>(id).result();
    if (n != 120) throw std::runtime_error("a wrong result");
  }
}

awaitable<void> cancel_all(store& at, std::string name, const std::vector<std::string>& ids) {
  queue q(at.url(), std::move(name));
  const auto outcomes = co_await q.cancel(ids);
  const auto done = std::count(outcomes.begin(), outcomes.end(), cancel_outcome::cancelled);
  if (static_cast<std::size_t>(done) != ids.size()) throw std::runtime_error("not all were cancelled");
}

}  // namespace

drain_cost drain(store& at, const std::vector<std::string>& queues, std::size_t jobs) {
  // What a worker costs that finds nothing, with as many queues.
  std::vector<std::string> empty;
  for (const auto& name : queues) empty.push_back("empty-" + name);
  const auto nothing = run_worker(at, empty);
  const auto all = run_worker(at, queues);
  if (jobs == 0) throw std::logic_error("a drain of no jobs");
  return {std::max(0.0, all.seconds - nothing.seconds), std::max(0.0, all.cpu - nothing.cpu)};
}

void add_drain(figures& to, const drain_cost& cost, std::size_t jobs) {
  to.emplace_back("drain, us a job", microseconds(cost.seconds, jobs));
  to.emplace_back("drain, CPU us a job", microseconds(cost.cpu, jobs));
}

double fill(store& at, const std::string& queue_name, std::size_t jobs, std::size_t bytes) {
  return fill_by({at.url(), queue_name, jobs, bytes, {}, false, 0, {}}).last_us;
}

double round_trip(store& at, const std::string& queue_name) {
  std::vector<double> seconds;
  run(ping(at, queue_name, seconds));
  return percentiles_of(std::move(seconds)).p50;
}

figures queued(store& at, std::size_t n) {
  const double before = at.stored_bytes();
  figures found{{"enqueue, us a job", fill(at, "jobs", n)}};
  found.emplace_back("stored bytes a job", (at.stored_bytes() - before) / static_cast<double>(n));
  add_drain(found, drain(at, {"jobs"}, n), n);
  return found;
}

figures deferred(store& at, std::size_t n) {
  figures found{{"enqueue deferred, us a job",
                 fill_by({at.url(), "jobs", n, 120, std::chrono::hours(1), false, 0, {}}).last_us}};
  found.emplace_back("enqueue, us a job", fill(at, "jobs", drained));
  add_drain(found, drain(at, {"jobs"}, drained), drained);
  child worker({"worker", "--broker", at.url(), "--queue", "jobs", "--log-level", "warn"});
  found.emplace_back("round trip, us", round_trip(at, "jobs"));
  worker.end(false);
  return found;
}

figures kept(store& at, std::size_t n) {
  if (n > 0) {
    fill_by({at.url(), "jobs", n, 120, {}, true, 0, {}});
    run_worker(at, {"jobs"});
  }
  const auto more = fill_by({at.url(), "jobs", drained, 120, {}, true, 0, {}});
  figures found{{"enqueue, us a job", more.last_us}};
  add_drain(found, drain(at, {"jobs"}, drained), drained);
  const std::vector<std::string> some(more.last_ids.begin(), more.last_ids.begin() + 2'000);
  const stopwatch watch;
  run(look_up(queue(at.url(), "jobs"), some));
  found.emplace_back("look up a result, us", microseconds(watch.seconds(), some.size()));
  return found;
}

figures payload(store& at, std::size_t n) {
  constexpr std::size_t bytes_in_all = 200'000'000;
  const auto jobs = std::clamp<std::size_t>(bytes_in_all / n, 200, drained);
  figures found{{"enqueue, us a job", fill(at, "jobs", jobs, n)}};
  const auto cost = drain(at, {"jobs"}, jobs);
  add_drain(found, cost, jobs);
  found.emplace_back("drain, CPU us a KB", microseconds(cost.cpu, jobs) * 1e3 / static_cast<double>(n));
  return found;
}

figures cancelled(store& at, std::size_t n) {
  std::vector<std::string> ids;
  for (std::size_t made = 0; made < n;) {
    const auto some = fill_by({at.url(), "jobs", std::min(last, n - made), 120, {}, false, 0, {}});
    ids.insert(ids.end(), some.last_ids.begin(), some.last_ids.end());
    made += some.last_ids.size();
  }
  const stopwatch watch;
  run(cancel_all(at, "jobs", ids));
  figures found{{"cancel, us a job", microseconds(watch.seconds(), n)}};
  // The worker comes by what was cancelled before it comes to these: each costs something, however many there are.
  found.emplace_back("enqueue, us a job", fill(at, "jobs", drained));
  add_drain(found, drain(at, {"jobs"}, drained), n + drained);
  return found;
}

}  // namespace quarq::bench::growth
