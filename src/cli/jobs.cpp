// quarq jobs
#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/job_text.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

// Jobs under way first, then those that need attention, then those that are over.
constexpr std::array all_states = {job_state::running,   job_state::queued,   job_state::deferred,
                                   job_state::dead,      job_state::failed,   job_state::expired,
                                   job_state::cancelled, job_state::succeeded};

struct jobs_options : common {
  std::optional<job_state> state;
  std::string task;  ///< empty: any
  int limit = 20;

  bool want(const job_info& job) const { return task.empty() || job.task == task; }
};

// Brokers know nothing of tasks: so many jobs of each state are looked at for those of one.
constexpr std::size_t max_looked_at = 10'000;

struct found {
  std::vector<job_info> jobs;
  std::vector<job_state> cut;  ///< states that have more jobs than are shown, or were looked at
};

awaitable<found> fetch(queue_ptr queue, jobs_options options) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto limit = static_cast<std::size_t>(options.limit);
  found result;
  const auto workers = co_await broker->workers(queue->name());
  const auto names = names_of(workers);
  for (const auto state : all_states) {
    if (options.state && state != *options.state) continue;
    const auto max = options.task.empty() ? limit : std::max(limit, max_looked_at);
    auto details = co_await broker->list(queue->name(), state, max + 1);
    bool is_cut = details.size() > max;
    if (is_cut) details.pop_back();
    std::size_t shown = 0;
    for (const auto& d : details) {
      auto job = described_job(queue->name(), d, names);
      if (!options.want(job)) continue;
      is_cut = is_cut || shown == limit;
      if (shown == limit) break;
      ++shown;
      result.jobs.push_back(std::move(job));
    }
    if (is_cut) result.cut.push_back(state);
  }
  co_return result;
}

void show_json(const std::string& queue, const found& what) {
  std::vector<std::string> jobs, cut;
  for (const auto& job : what.jobs) jobs.push_back(job_json(job));
  for (const auto state : what.cut) cut.push_back(json_string(to_string(state)));
  print_line(
      json_object().text("queue", queue).json("jobs", json_array(jobs)).json("cut", json_array(cut)).str());
}

void show_table(const found& what, const jobs_options& options) {
  using kind = column::kind;
  table rows({{"ID"},
              {"STATE"},
              {"TASK"},
              {"ATTEMPTS", kind::number},
              {"WHEN"},
              {"ARGUMENTS", kind::flexible},
              {"ERROR", kind::flexible}});
  const time_point at = now();
  for (const auto& job : what.jobs) {
    rows.add({job.id, std::string(to_string(job.state)), job.task, std::to_string(job.attempts),
              when(job, at), job.arguments, error_of(job)});
  }
  print_table(rows);
  for (const auto state : what.cut) {
    print_line(fmt::format("... only {} {} jobs{} are shown, there are more: --limit N", options.limit,
                           to_string(state), options.task.empty() ? "" : " of task " + options.task));
  }
}

int run_jobs(const jobs_options& options) {
  const auto queue = open_queue(options);
  const auto what = run(fetch(queue, options));
  if (options.json) {
    show_json(queue->name(), what);
  } else if (what.jobs.empty()) {
    const std::string state = options.state ? fmt::format("{} ", to_string(*options.state)) : "";
    const std::string of_task = options.task.empty() ? "" : " of task " + options.task;
    print_line(fmt::format("no {}jobs{} in queue {}", state, of_task, queue->name()));
  } else {
    show_table(what, options);
  }
  return ok;
}

}  // namespace

void add_jobs(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<jobs_options>();
  auto* command = add_command(app, "jobs", "The jobs of a queue", *options);
  command
      ->add_option_function<std::string>(
          "--state", [options](const std::string& text) { options->state = parse_state("--state", text); },
          "only jobs in this state: queued, deferred, running, succeeded, failed, cancelled, expired or dead")
      ->option_text("STATE");
  command->add_option("--task", options->task, "only jobs of this task")->option_text("NAME");
  command
      ->add_option_function<std::string>(
          "--limit",
          [options](const std::string& text) {
            options->limit = parse_number("--limit", text, 1, 1'000'000);
          },
          "at most N jobs of each state (default: 20)")
      ->option_text("N");
  command->callback([options, &chosen] { chosen = [options] { return run_jobs(*options); }; });
}

}  // namespace quarq::cli
