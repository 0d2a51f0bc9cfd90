#include "client.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include <quarq/client.hpp>
#include <quarq/queue.hpp>
#include <quarq/run.hpp>

#include "child.hpp"
#include "stopwatch.hpp"
#include "tasks.hpp"

namespace quarq::bench {
namespace {

constexpr int rounds = 15;  // of each form, by turns: what else the machine does hits both
constexpr std::size_t per_round = 300;

// Microseconds for one call of each form.
struct costs {
  std::vector<double> awaited, blocking;
};

awaitable<void> enqueue_awaited(queue q, double& us) {
  auto first = forget(argument());
  co_await q.enqueue(std::move(first));
  const stopwatch watch;
  for (std::size_t i = 0; i < per_round; ++i) {
    auto call = forget(argument());
    auto job = co_await q.enqueue(std::move(call));
  }
  us = watch.seconds() * 1e6 / per_round;
}

void enqueue_blocking(client& c, double& us) {
  c.enqueue(forget(argument()));
  const stopwatch watch;
  for (std::size_t i = 0; i < per_round; ++i) c.enqueue(forget(argument()));
  us = watch.seconds() * 1e6 / per_round;
}

void check(std::int64_t result) {
  if (result != 120) throw std::runtime_error("a wrong result");
}

awaitable<void> ask_awaited(queue q, double& us) {
  std::size_t asked = 0;
  stopwatch watch;
  while (asked <= per_round) {
    auto call = measure(argument());
    auto job = co_await q.enqueue(std::move(call));
    const auto n = co_await job.result();
    check(n);
    if (asked++ == 0) watch = stopwatch();
  }
  us = watch.seconds() * 1e6 / per_round;
}

void ask_blocking(client& c, double& us) {
  check(c.result(c.enqueue(measure(argument()))));
  const stopwatch watch;
  for (std::size_t i = 0; i < per_round; ++i) check(c.result(c.enqueue(measure(argument()))));
  us = watch.seconds() * 1e6 / per_round;
}

double median(std::vector<double> all) {
  std::nth_element(all.begin(), all.begin() + rounds / 2, all.end());
  return all[rounds / 2];
}

template <class Awaited, class Blocking>
void compare(report& out, const target& at, const std::string& name, const std::string& what, Awaited awaited,
             Blocking blocking) {
  costs all;
  client c(at.url, name);
  for (int i = 0; i < rounds; ++i) {
    double us = 0;
    run(awaited(queue(at.url, name), us));
    all.awaited.push_back(us);
    blocking(c, us);
    all.blocking.push_back(us);
  }
  const double a = median(all.awaited), b = median(all.blocking);
  out.add({at.group, what + ", awaited", a, "us", ""});
  out.add({at.group, what + ", quarq::client", b, "us", fmt::format("{:.2f} x awaited", b / a)});
}

}  // namespace

void measure_client(report& out, const target& at) {
  compare(out, at, "client-enqueue", "enqueue", enqueue_awaited, enqueue_blocking);
  child worker({"worker", "--broker", at.url, "--queue", "client-ask", "--log-level", "warn"});
  compare(out, at, "client-ask", "round trip", ask_awaited, ask_blocking);
  worker.end(false);
}

}  // namespace quarq::bench
