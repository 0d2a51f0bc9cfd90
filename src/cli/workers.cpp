// quarq workers
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "clients/worker_info.hpp"
#include "model/announcement.hpp"

namespace quarq::cli {

namespace {

using worker_summaries = std::vector<broker::worker_summary>;

struct served {
  worker_summaries workers;
  bool is_paused = false;  ///< the queue
};

awaitable<served> fetch_workers(queue_ptr queue) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  served found;
  found.workers = co_await broker->workers(queue->name());
  found.is_paused = co_await broker->is_paused(queue->name());
  co_return found;
}

std::string number_or(const std::optional<std::uint64_t>& number, const char* otherwise) {
  return number ? std::to_string(*number) : otherwise;
}

std::string tasks_in_json(const model::announcement& said) {
  if (!said.known) return "";
  std::vector<std::string> names;
  for (const auto& task : said.tasks) names.push_back(json_string(task));
  return json_array(names);
}

std::string tasks_in_words(const model::announcement& said) {
  if (!said.known) return "?";
  std::string names;
  for (const auto& task : said.tasks) names += (names.empty() ? "" : ", ") + task;
  if (said.cut > 0) names += fmt::format("{}{} more", names.empty() ? "" : " and ", said.cut);
  return names;
}

std::string to_json(const broker::worker_summary& w, bool is_paused) {
  const auto info = clients::read_worker_info(w.worker_info);
  const auto said = model::read_announcement(w.announcement);
  return json_object()
      .text_or_null("worker", info.worker)
      .text("lease", w.token)
      .number("running", w.running)
      .json("waiting", number_or(info.waiting, ""))
      .json("done", number_or(info.done, ""))
      .json("concurrency", number_or(info.concurrency, ""))
      .number("lease_ms", w.expires_in.count())
      .json("tasks", tasks_in_json(said))
      .json("tasks_not_named", said.known ? std::to_string(said.cut) : "")
      .boolean("paused", is_paused)
      .str();
}

std::string running_in_words(const broker::worker_summary& w, const clients::worker_info& info) {
  const auto waiting = info.waiting.value_or(0);
  return waiting == 0 ? std::to_string(w.running) : fmt::format("{} ({} waiting)", w.running, waiting);
}

void show(const worker_summaries& all) {
  using kind = column::kind;
  table rows({{"WORKER"},
              {"RUNNING", kind::number},
              {"DONE", kind::number},
              {"CONCURRENCY", kind::number},
              {"LEASE", kind::number},
              {"TASKS", kind::flexible}});
  for (const auto& w : all) {
    const auto info = clients::read_worker_info(w.worker_info);
    rows.add({info.worker.empty() ? w.token : info.worker, running_in_words(w, info),
              number_or(info.done, "?"), number_or(info.concurrency, "?"), rough(w.expires_in),
              tasks_in_words(model::read_announcement(w.announcement))});
  }
  print_table(rows);
}

int run_workers(const common& options) {
  const auto queue = open_queue(options);
  const auto [all, is_paused] = run(fetch_workers(queue));
  if (options.json) {
    std::vector<std::string> values;
    for (const auto& w : all) values.push_back(to_json(w, is_paused));
    print_line(json_array(values));
  } else if (all.empty()) {
    print_line("no worker serves queue " + queue->name());
  } else {
    show(all);
  }
  if (is_paused && !options.json)
    print_line("queue " + queue->name() + " is paused: no worker takes its jobs");
  return ok;
}

}  // namespace

void add_workers(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<common>();
  auto* command = add_command(app, "workers", "The live workers of a queue", *options);
  command->callback([options, &chosen] { chosen = [options] { return run_workers(*options); }; });
}

}  // namespace quarq::cli
