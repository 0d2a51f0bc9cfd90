// quarq cron
#include <algorithm>
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "clients/paused_crons.hpp"
#include "cron/cron_list.hpp"

namespace quarq::cli {

namespace {

struct cron_command : common {
  std::string action = "list";
  std::vector<std::string> names;
  bool in_any_queue = true;  ///< no queue was named
};

awaitable<std::vector<cron::cron_summary>> fetch_crons(queue_ptr queue) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  auto all = co_await cron::all_crons(broker);
  co_return all;
}

/// What an action is for: a cron job that somebody knows, or that is named together with its queue.
struct named_cron {
  std::string name, queue;
  bool known = false;
};

named_cron find_cron(const std::vector<cron::cron_summary>& all, const std::string& name,
                     const cron_command& options) {
  std::vector<const cron::cron_summary*> found;
  for (const auto& one : all) {
    if (one.name == name && (options.in_any_queue || one.queue == options.queue)) found.push_back(&one);
  }
  if (found.size() > 1) {
    throw error(fmt::format("cron job {} is in the queues {} and {}: say --queue {}", name, found[0]->queue,
                            found[1]->queue, found[0]->queue));
  }
  if (!found.empty()) return {name, found.front()->queue, found.front()->known || found.front()->next};
  if (options.in_any_queue) {
    throw error(
        fmt::format("no cron job {} is known to the broker: no worker announces it, and no run of it is "
                    "planned; say --queue QUEUE if it is to come",
                    name));
  }
  return {name, options.queue, false};
}

struct cron_answer {
  std::string outcome, id;
  bool changed = true;
};

awaitable<cron_answer> act(queue_ptr queue, named_cron what, std::string action) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  cron_answer answer;
  if (action == "run") {
    auto made = co_await cron::enqueue_run(broker, what.queue, what.name);
    answer.outcome = "enqueued as " + made.id;
    answer.id = std::move(made.id);
    co_return answer;
  }
  const bool pauses = action == "pause";
  answer.changed = co_await clients::set_cron_paused(broker, what.queue, what.name, pauses);
  if (pauses) {
    answer.outcome = answer.changed ? "paused: its planned runs are skipped" : "was paused already";
  } else {
    answer.outcome = answer.changed ? "resumed" : "was not paused";
  }
  co_return answer;
}

int change_crons(const cron_command& options) {
  for (const auto& name : options.names) clients::check_cron_name(name);
  const auto queue = open_queue(options);
  const auto all = run(fetch_crons(queue));
  std::vector<named_cron> those;
  for (const auto& name : options.names) those.push_back(find_cron(all, name, options));
  std::vector<std::string> values;
  for (const auto& one : those) {
    const auto answer = run(act(queue, one, options.action));
    if (options.json) {
      json_object json;
      json.text("name", one.name).text("queue", one.queue).text("action", options.action);
      values.push_back(json.boolean("changed", answer.changed).text_or_null("id", answer.id).str());
    } else {
      const auto hint = one.known ? "" : fmt::format(" (nobody in queue {} knows it now)", one.queue);
      print_line(fmt::format("{}: {}{}", one.name, answer.outcome, hint));
    }
  }
  if (options.json) print_line(json_array(values));
  return ok;
}

std::string cron_json(const cron::cron_summary& one) {
  json_object json;
  json.text("name", one.name).text("queue", one.queue).boolean("paused", one.paused);
  json.time("next", one.next).text_or_null("next_id", one.next_id).number("active", one.active);
  return json.boolean("known", one.known).str();
}

int list_crons(const cron_command& options) {
  auto all = run(fetch_crons(open_queue(options)));
  if (!options.in_any_queue) std::erase_if(all, [&](const auto& c) { return c.queue != options.queue; });
  if (options.json) {
    std::vector<std::string> values;
    for (const auto& one : all) values.push_back(cron_json(one));
    print_line(json_array(values));
    return ok;
  }
  if (all.empty()) {
    print_line("no cron jobs");
    return ok;
  }
  using kind = column::kind;
  table rows({{"NAME"}, {"QUEUE"}, {"NEXT RUN"}, {"", kind::flexible}, {"ACTIVE", kind::number}, {"STATE"}});
  const time_point at = now();
  for (const auto& one : all) {
    const auto state = one.paused ? "paused" : one.known ? "" : "no worker knows it";
    rows.add({one.name, one.queue, one.next ? iso8601(*one.next) : "",
              one.next ? relative(*one.next, at) : "", std::to_string(one.active), state});
  }
  print_table(rows);
  return ok;
}

int run_cron_command(const cron_command& options) {
  if (options.action == "list") {
    if (!options.names.empty()) throw usage_error("cron list: expected no name");
    return list_crons(options);
  }
  const auto known = {"pause", "resume", "run"};
  if (std::find(known.begin(), known.end(), options.action) == known.end()) {
    throw usage_error(fmt::format("cron: expected list, pause, resume or run, got \"{}\"", options.action));
  }
  if (options.names.empty())
    throw usage_error(fmt::format("cron {}: expected the name of a cron job", options.action));
  return change_crons(options);
}

}  // namespace

void add_cron(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<cron_command>();
  auto* command =
      add_command(app, "cron", "Cron jobs: their next runs; pauses, resumes or runs them", *options);
  command->add_option("ACTION", options->action, "list (the default), pause, resume or run");
  add_values(*command, "NAME", options->names, "the names of cron jobs");
  command->callback([command, options, &chosen] {
    options->in_any_queue = command->count("--queue") == 0;
    chosen = [options] { return run_cron_command(*options); };
  });
}

}  // namespace quarq::cli
