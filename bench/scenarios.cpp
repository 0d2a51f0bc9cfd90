// The four scenarios of bullmq-bench (github.com/taskforcesh/bullmq-bench, src/bullmq-suite.ts), which other job
// queues publish, too: the same numbers of jobs, bulks and jobs at once, and arguments of the same shape and size.
// The other side is peers/drivers/bullmq_scenarios.mjs.
#include "scenarios.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <fmt/format.h>

#include <quarq/queue.hpp>
#include <quarq/run.hpp>
#include <quarq/worker.hpp>

#include "base/log.hpp"
#include "stopwatch.hpp"

namespace quarq::bench {

/// Objects in objects, whose names are UUIDs.
struct sample_object {
  std::map<std::string, sample_object> members;
};
BOOST_DESCRIBE_STRUCT(sample_object, (), (members))

namespace {

struct scenario {
  std::string_view name;
  std::size_t warm_up, jobs;
  std::size_t bulk;          ///< 0: one by one
  std::size_t width, depth;  ///< of the argument, and of the result
  std::size_t concurrency;   ///< 0: nothing is run
};
constexpr scenario scenarios[] = {
    {"queue-add", 1'000, 1'000, 0, 10, 10, 0},
    {"queue-add-bulk", 1'000, 10'000, 50, 1, 1, 0},
    {"worker-generic", 1'000, 1'000, 100, 1, 1, 1},
    {"worker-concurrent", 1'000, 10'000, 100, 1, 1, 100},
};

constexpr task<sample_object(sample_object)> sampled{"test"};

std::string next_uuid() {
  static std::size_t made = 0;
  ++made;
  return fmt::format("{:08x}-0000-4000-8000-{:012x}", made, made * 2'654'435'761);
}

sample_object sample(std::size_t width, std::size_t depth) {
  sample_object all;
  for (std::size_t i = 0; i < width; ++i) {
    auto* at = &all.members[next_uuid()];
    for (std::size_t k = 1; k < depth; ++k) at = &at->members[next_uuid()];
  }
  return all;
}

awaitable<void> enqueue(queue q, std::size_t count, std::size_t bulk, const sample_object& data) {
  for (std::size_t sent = 0; sent < count;) {
    if (bulk == 0) {
      auto one = sampled(data);
      auto job = co_await q.enqueue(std::move(one));
      ++sent;
      continue;
    }
    std::vector<call<sample_object>> some;
    for (std::size_t n = std::min(bulk, count - sent); n > 0; --n, ++sent) some.push_back(sampled(data));
    auto jobs = co_await q.enqueue(std::move(some));
  }
}

awaitable<double> time_enqueueing(const scenario& of, std::string url) {
  const queue q(std::move(url));
  const auto data = sample(of.width, of.depth);
  co_await enqueue(q, of.warm_up, of.bulk, data);
  const stopwatch watch;
  co_await enqueue(q, of.jobs, of.bulk, data);
  co_return watch.seconds();
}

// From the start of the last job that warms up to that of the last one.
double time_running(const scenario& of, const std::string& url) {
  const auto data = sample(of.width, of.depth), result = sample(of.width, of.depth);
  run(enqueue(queue(url), of.warm_up + of.jobs, of.bulk, data));
  worker_options options;
  options.broker = url;
  options.concurrency = of.concurrency;
  options.burst = true;
  worker w(options);
  std::size_t ran = 0;
  stopwatch watch;
  double took = 0;
  w.handle(sampled, [&](sample_object) -> awaitable<sample_object> {
    if (++ran == of.warm_up) watch = stopwatch();
    if (ran == of.warm_up + of.jobs) took = watch.seconds();
    co_return result;
  });
  run(w.run());
  if (ran != of.warm_up + of.jobs) throw std::runtime_error(fmt::format("{} jobs ran", ran));
  return took;
}

}  // namespace

int scenario_main(int argc, char** argv) {
  if (argc != 3) throw std::runtime_error("scenario takes NAME BROKER; ./dev bench bullmq runs all of them");
  const auto* const of = std::find_if(std::begin(scenarios), std::end(scenarios),
                                      [&](const scenario& one) { return one.name == argv[1]; });
  if (of == std::end(scenarios))
    throw std::runtime_error(fmt::format("bullmq-bench has no scenario {}", argv[1]));
  base::set_log_level("warn");
  const double seconds =
      of->concurrency > 0 ? time_running(*of, argv[2]) : run(time_enqueueing(*of, argv[2]));
  fmt::print("{{\"jobs\": {}, \"seconds\": {:.6f}}}\n", of->jobs, seconds);
  return 0;
}

}  // namespace quarq::bench
