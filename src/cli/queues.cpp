// quarq queues
#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/rates.hpp"
#include "clients/recent_stats.hpp"
#include "clients/service.hpp"

namespace quarq::cli {

namespace {

/// How many ready jobs of a queue are looked at, the next ones first.
constexpr std::size_t looked_at = 10;

struct queue_line : broker::queue_summary {
  std::string unserved;  ///< why its ready jobs will not run, if that is so
  task_stats lately;     ///< what has happened in rate_time
};
using queue_lines = std::vector<queue_line>;

awaitable<std::string> why_unserved(std::shared_ptr<broker::broker> broker, std::string queue) {
  const auto those = co_await broker->live_workers_of(queue);
  std::string why;
  if (those.others) co_return why;
  const auto ready = co_await broker->list(queue, job_state::queued, looked_at);
  for (const auto& job : ready) {
    const auto task = clients::task_of(job.record);
    const auto found = clients::service_of(those, task);
    if (found == clients::service::likely) continue;
    why = fmt::format("jobs are ready, and {}", clients::in_words(found, queue, task));
    break;
  }
  co_return why;
}

awaitable<queue_lines> fetch_queues(queue_ptr queue, std::string only) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  auto all = co_await broker->queues();
  queue_lines lines;
  for (auto& one : all) {
    if (!only.empty() && one.name != only) continue;
    auto& line = lines.emplace_back();
    static_cast<broker::queue_summary&>(line) = std::move(one);
    line.lately = co_await clients::recent_stats(broker, line.name, rate_time);
    if (line.queued == 0) continue;
    auto why = co_await why_unserved(broker, line.name);
    line.unserved = std::move(why);
  }
  co_return lines;
}

double as_seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string times_json(const duration_histogram& times) {
  const auto quantile = [&](double part) { return fmt::format("{}", as_seconds(times.quantile(part))); };
  return json_object()
      .json("p50", quantile(0.5))
      .json("p95", quantile(0.95))
      .json("p99", quantile(0.99))
      .str();
}

std::string stats_json(const task_stats& s) {
  return json_object()
      .number("minutes", rate_time.count())
      .number("enqueued", s.enqueued)
      .number("started", s.started)
      .number("succeeded", s.succeeded)
      .number("failed", s.failed)
      .number("dead", s.dead)
      .number("cancelled", s.cancelled)
      .number("expired", s.expired)
      .number("retried", s.retried)
      .number("lost", s.lost)
      .json("waited_seconds", times_json(s.waited))
      .json("ran_seconds", times_json(s.ran))
      .str();
}

std::string to_json(const queue_line& q) {
  return json_object()
      .text("queue", q.name)
      .number("queued", q.queued)
      .number("deferred", q.deferred)
      .number("running", q.running)
      .number("dead", q.dead)
      .number("kept", q.kept)
      .number("workers", q.workers)
      .boolean("paused", q.paused)
      .json("lately", stats_json(q.lately))
      .text_or_null("unserved", q.unserved)
      .str();
}

void show(const queue_lines& all) {
  using kind = column::kind;
  table rows({{"QUEUE"},
              {"QUEUED", kind::number},
              {"DEFERRED", kind::number},
              {"RUNNING", kind::number},
              {"DEAD", kind::number},
              {"KEPT", kind::number},
              {"WORKERS", kind::number},
              {"ENQUEUED", kind::number},
              {"ENDED", kind::number},
              {"FAILED", kind::number},
              {"STATUS", kind::flexible}});
  for (const auto& q : all) {
    rows.add({q.name, std::to_string(q.queued), std::to_string(q.deferred), std::to_string(q.running),
              std::to_string(q.dead), std::to_string(q.kept), std::to_string(q.workers),
              rate(q.lately.enqueued), rate(ended(q.lately)), rate(failed_attempts(q.lately)),
              q.paused ? "paused" : ""});
  }
  print_table(rows);
  for (const auto& q : all) {
    if (!q.unserved.empty()) print_line(q.unserved);
  }
}

int run_queues(const common& options, bool only_one) {
  const auto queue = open_queue(options);
  auto all = run(fetch_queues(queue, only_one ? options.queue : ""));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (options.json) {
    std::vector<std::string> values;
    for (const auto& q : all) values.push_back(to_json(q));
    print_line(json_array(values));
  } else if (all.empty()) {
    print_line("no queues at " + broker::without_password(queue->url()));
  } else {
    show(all);
  }
  return ok;
}

}  // namespace

void add_queues(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<common>();
  auto* command = add_command(app, "queues", "All queues, with the number of jobs in each state", *options);
  command->get_option("--queue")->description("only this queue");
  command->callback([options, command, &chosen] {
    const bool only_one = command->get_option("--queue")->count() > 0;
    chosen = [options, only_one] { return run_queues(*options, only_one); };
  });
}

}  // namespace quarq::cli
