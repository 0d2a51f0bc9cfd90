// quarq jobs
#include <array>
#include <memory>
#include <optional>
#include <set>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/filter.hpp"
#include "cli/follow.hpp"
#include "cli/job_text.hpp"
#include "cli/output.hpp"
#include "clients/job_filter.hpp"
#include "clients/job_list.hpp"

namespace quarq::cli {

namespace {

// Jobs under way first, then those that need attention, then those that are over.
constexpr std::array all_states = {job_state::running,   job_state::queued,   job_state::deferred,
                                   job_state::dead,      job_state::failed,   job_state::expired,
                                   job_state::cancelled, job_state::succeeded};

struct jobs_options : common {
  filter_options which;
  int limit = 20;
  std::optional<int> scan;  ///< list_options::scan_limit
  std::string from;
  bool follow = false;

  /// Whether a part of the jobs is asked for, and where to go on.
  bool is_part() const { return scan || !from.empty(); }
};

struct found {
  std::vector<job_info> jobs;
  std::vector<job_state> cut;  ///< states that have more jobs than are shown
};

std::string besides_states(const jobs_options& options) {
  const auto filter = options.which.filter();
  return clients::owned_filter(filter, filter.state, "jobs").besides_states();
}

/// The first `max` jobs, none twice.
awaitable<std::vector<broker::job_details>> first_of(clients::matching_jobs& all, std::size_t max) {
  std::vector<broker::job_details> first;
  std::set<std::string> seen;
  while (!all.is_over() && first.size() < max) {
    auto some = co_await all.next(max - first.size());
    for (auto& job : some) {
      if (first.size() < max && seen.insert(job.id).second) first.push_back(std::move(job));
    }
  }
  co_return first;
}

awaitable<found> fetch(queue_ptr queue, jobs_options options) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto store = queue->on(loop);
  const auto limit = static_cast<std::size_t>(options.limit);
  found result;
  const auto workers = co_await store->workers(queue->name());
  const auto names = clients::names_of(workers);
  for (const auto state : all_states) {
    auto filter = options.which.filter();
    if (!filter.state.empty() && !filter.state.contains(state)) continue;
    filter.state = state;
    clients::owned_filter which(filter, state, "jobs");
    clients::matching_jobs all(store, queue->name(), std::move(which));
    auto details = co_await first_of(all, limit + 1);
    if (details.size() > limit) {
      details.pop_back();
      result.cut.push_back(state);
    }
    for (const auto& d : details) result.jobs.push_back(described_job(queue->name(), d, names));
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
                           to_string(state), besides_states(options)));
  }
}

struct part {
  clients::details_list list;
  std::vector<job_info> jobs;
};

awaitable<part> fetch_part(queue_ptr queue, jobs_options options) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto store = queue->on(loop);
  const auto filter = options.which.filter();
  clients::owned_filter which(filter, clients::all_job_states, "jobs");
  list_options how;
  how.limit = static_cast<std::size_t>(options.limit);
  if (options.scan) how.scan_limit = static_cast<std::size_t>(*options.scan);
  how.from = options.from;
  part found;
  clients::owned_list_options owned(how);
  found.list = co_await clients::list_matching(store, queue->name(), std::move(which), std::move(owned));
  const auto workers = co_await store->workers(queue->name());
  const auto names = clients::names_of(workers);
  for (const auto& job : found.list.jobs) found.jobs.push_back(described_job(queue->name(), job, names));
  co_return found;
}

std::string part_json(const std::string& queue, const part& what) {
  std::vector<std::string> jobs;
  for (const auto& job : what.jobs) jobs.push_back(job_json(job));
  json_object json;
  json.text("queue", queue).json("jobs", json_array(jobs)).number("looked_at", what.list.looked_at);
  what.list.total ? json.number("total", *what.list.total) : json.json("total", "");
  return json.text_or_null("next", what.list.next).str();
}

int run_part(const queue_ptr& queue, const jobs_options& options) {
  const auto what = run(fetch_part(queue, options));
  if (options.json) {
    print_line(part_json(queue->name(), what));
    return ok;
  }
  const found shown{what.jobs, {}};
  if (!what.jobs.empty()) show_table(shown, options);
  const auto total = what.list.total ? fmt::format(" of {}", *what.list.total) : "";
  const auto next = what.list.next.empty() ? "" : "; the next ones: --from " + what.list.next;
  print_line(fmt::format("looked at {}{} jobs{}", what.list.looked_at, total, next));
  return ok;
}

int run_jobs(const jobs_options& options) {
  const auto queue = open_queue(options);
  if (options.follow) return follow_jobs(queue, options.which, options.json);
  if (options.is_part()) return run_part(queue, options);
  const auto what = run(fetch(queue, options));
  if (options.json) {
    show_json(queue->name(), what);
  } else if (what.jobs.empty()) {
    const auto states = options.which.states;
    print_line(fmt::format("no {}{}jobs{} in queue {}", clients::owned_filter::in_words(states),
                           states.empty() ? "" : " ", besides_states(options), queue->name()));
  } else {
    show_table(what, options);
  }
  return ok;
}

}  // namespace

void add_jobs(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<jobs_options>();
  auto* command = add_command(app, "jobs", "The jobs of a queue", *options);
  add_states_option(*command, options->which,
                    "only jobs in these states: queued, deferred, running, succeeded, failed, cancelled, "
                    "expired or dead");
  add_filter_options(*command, options->which);
  command
      ->add_option_function<std::string>(
          "--limit",
          [options](const std::string& text) {
            options->limit = parse_number("--limit", text, 1, 1'000'000);
          },
          "at most N jobs of each state (default: 20)")
      ->option_text("N");
  command
      ->add_option_function<std::string>(
          "--scan",
          [options](const std::string& text) {
            options->scan = parse_number("--scan", text, 1, 100'000'000);
          },
          "look at about N jobs at most, and say where to go on; --limit is for all states together then")
      ->option_text("N");
  command->add_option("--from", options->from, "go on where an earlier call with --scan says")
      ->option_text("PLACE");
  command->add_flag("--follow,-f", options->follow,
                    "print what becomes of jobs, as it happens, until Ctrl-C");
  command->callback([options, command, &chosen] {
    for (const auto* const other : {"--limit", "--scan", "--from"}) {
      if (options->follow && command->count(other) > 0)
        throw usage_error(fmt::format("{}: it is not for --follow, which lists nothing", other));
    }
    chosen = [options] { return run_jobs(*options); };
  });
}

}  // namespace quarq::cli
