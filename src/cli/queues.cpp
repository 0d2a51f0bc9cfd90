// quarq queues
#include <algorithm>
#include <memory>

#include <boost/asio/this_coro.hpp>

#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

using queue_summaries = std::vector<broker::queue_summary>;

awaitable<queue_summaries> fetch_queues(queue_ptr queue) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  auto all = co_await broker->queues();
  co_return all;
}

std::string to_json(const broker::queue_summary& q) {
  return json_object()
      .text("queue", q.name)
      .number("queued", q.queued)
      .number("deferred", q.deferred)
      .number("running", q.running)
      .number("dead", q.dead)
      .number("kept", q.kept)
      .number("workers", q.workers)
      .str();
}

void show(const queue_summaries& all) {
  using kind = column::kind;
  table rows({{"QUEUE"},
              {"QUEUED", kind::number},
              {"DEFERRED", kind::number},
              {"RUNNING", kind::number},
              {"DEAD", kind::number},
              {"KEPT", kind::number},
              {"WORKERS", kind::number}});
  for (const auto& q : all) {
    rows.add({q.name, std::to_string(q.queued), std::to_string(q.deferred), std::to_string(q.running),
              std::to_string(q.dead), std::to_string(q.kept), std::to_string(q.workers)});
  }
  print_table(rows);
}

int run_queues(const common& options, bool only_one) {
  const auto queue = open_queue(options);
  auto all = run(fetch_queues(queue));
  if (only_one) std::erase_if(all, [&](const auto& q) { return q.name != options.queue; });
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
