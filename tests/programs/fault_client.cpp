// The client of the fault tests: enqueues notes, and prints the id of each job the moment it is acknowledged.
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <quarq/quarq.hpp>

#include "programs/die_with_parent.hpp"
#include "programs/fault_tasks.hpp"

namespace quarq::test {
namespace {

struct wishes {
  std::string broker = default_broker_url();
  std::string queue = "default";
  int count = 1;      ///< 0: until it is killed
  int at_once = 1;    ///< jobs in one call
  int in_flight = 1;  ///< calls under way
  int pause_ms = 0;   ///< after each call
  int takes_ms = 0;   ///< how long each job runs
  bool linger = false;
};

void print_ids(const std::vector<std::optional<job<int>>>& jobs) {
  std::string text;
  for (const auto& j : jobs) {
    if (j) text += j->id() + "\n";
  }
  // One write, so that what is printed is printed whole.
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) std::perror("fault_client");
}

/// What all senders share.
struct progress {
  int sent = 0;
};

call<int> next_call(const wishes& w, progress& p) {
  return w.takes_ms > 0 ? note_slowly(p.sent++, w.takes_ms) : note(p.sent++);
}

awaitable<void> send(queue to, const wishes& w, progress& p) {
  while (w.count == 0 || p.sent < w.count) {
    const int many = w.count == 0 ? w.at_once : std::min(w.at_once, w.count - p.sent);
    std::vector<call<int>> calls;
    for (int i = 0; i < many; ++i) calls.push_back(next_call(w, p));
    try {
      const auto jobs = co_await to.enqueue(std::move(calls));
      print_ids(jobs);
    } catch (const broker_error& e) {
      // Not acknowledged, so nobody counts on them.
      fmt::print(stderr, "fault_client: not acknowledged: {}\n", e.what());
    }
    if (w.pause_ms > 0) co_await sleep_for(std::chrono::milliseconds(w.pause_ms));
  }
}

awaitable<void> send_all(wishes w) {
  const queue to(w.broker, w.queue);
  progress p;
  std::vector<awaitable<void>> senders;
  for (int i = 0; i < w.in_flight; ++i) senders.push_back(send(to, w, p));
  co_await gather(std::move(senders));
}

}  // namespace
}  // namespace quarq::test

int main(int argc, char** argv) {
  using namespace quarq::test;
  die_with_parent();
  wishes w;
  CLI::App app("Enqueues notes.");
  app.add_option("--broker", w.broker);
  app.add_option("--queue", w.queue);
  app.add_option("--count", w.count);
  app.add_option("--at-once", w.at_once);
  app.add_option("--in-flight", w.in_flight);
  app.add_option("--pause-ms", w.pause_ms);
  app.add_option("--takes-ms", w.takes_ms);
  app.add_flag("--linger", w.linger, "do not end");
  CLI11_PARSE(app, argc, argv);
  try {
    quarq::run(send_all(w));
  } catch (const std::exception& e) {
    fmt::print(stderr, "fault_client: {}\n", e.what());
    return 1;
  }
  while (w.linger) pause();
  return 0;
}
