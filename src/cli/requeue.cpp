// quarq requeue
#include <algorithm>
#include <memory>
#include <optional>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/detail/enqueue.hpp>
#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/filter.hpp"
#include "cli/other_queues.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

struct requeue_options : common {
  std::vector<std::string> ids;
  filter_options which;
  bool all_dead = false;

  bool has_filter() const { return all_dead || !which.empty(); }
};

struct not_requeued {
  std::string id;
  std::optional<job_state> state;      ///< nullopt: there is no such job
  std::vector<std::string> elsewhere;  ///< but in these queues
};

struct requeued {
  std::size_t count = 0;
  std::vector<not_requeued> not_dead;
};

awaitable<requeued> requeue_all(queue_ptr queue) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const std::vector<std::string> all_dead;
  requeued result;
  result.count = co_await broker->requeue(queue->name(), all_dead);
  co_return result;
}

awaitable<requeued> requeue_named(queue_ptr queue, std::vector<std::string> ids) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  requeued result;
  for (const auto& id : ids) {
    const std::vector<std::string> one(1, id);
    const auto count = co_await broker->requeue(queue->name(), one);
    result.count += count;
    if (count > 0) continue;
    const auto details = co_await broker->inspect(queue->name(), id);
    auto& r = result.not_dead.emplace_back();
    r.id = id;
    if (details) {
      r.state = details->state;
    } else {
      r.elsewhere = co_await other_queues_with(broker, queue->name(), id);
    }
  }
  co_return result;
}

std::vector<std::string> without_repeats(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::string why_not(const not_requeued& r) {
  if (r.state) return fmt::format("{} is {}, not dead", r.id, to_string(*r.state));
  const auto hint = r.elsewhere.empty() ? "" : fmt::format(" in this queue, but in {}", named(r.elsewhere));
  return fmt::format("no job with id \"{}\"{}", r.id, hint);
}

void show(const requeued& result, bool as_json) {
  std::vector<std::string> values;
  for (const auto& r : result.not_dead) {
    values.push_back(
        json_object().text("id", r.id).text_or_null("state", r.state ? to_string(*r.state) : "").str());
  }
  if (as_json) {
    print_line(json_object().number("requeued", result.count).json("not_dead", json_array(values)).str());
    return;
  }
  print_line(fmt::format("{} requeued", result.count));
  for (const auto& r : result.not_dead) complain(why_not(r));
}

requeued requeue(const queue_ptr& queue, const requeue_options& options) {
  if (options.all_dead) return run(requeue_all(queue));
  if (!options.ids.empty()) return run(requeue_named(queue, without_repeats(options.ids)));
  return {run(detail::requeue(queue, options.which.filter())), {}};
}

int run_requeue(const requeue_options& options) {
  if (options.ids.empty() != options.has_filter()) {
    throw usage_error(fmt::format(
        "requeue: expected either the ids of dead jobs or which ones: {}, or --all-dead", filter_names));
  }
  if (options.all_dead && !options.which.empty())
    throw usage_error(fmt::format("requeue: --all-dead is for all: give it without {}", filter_names));
  const auto queue = open_queue(options);
  const auto result = requeue(queue, options);
  show(result, options.json);
  return result.not_dead.empty() ? ok : failed;
}

}  // namespace

void add_requeue(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<requeue_options>();
  auto* command = add_command(app, "requeue", "Sends dead jobs again, with all their attempts", *options);
  add_values(*command, "ID", options->ids, "the jobs' ids");
  add_filter_options(*command, options->which);
  command->add_flag("--all-dead", options->all_dead, "all dead jobs of the queue");
  command->callback([options, &chosen] { chosen = [options] { return run_requeue(*options); }; });
}

}  // namespace quarq::cli
