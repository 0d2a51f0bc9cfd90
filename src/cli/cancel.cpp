// quarq cancel
#include "clients/cancel.hpp"

#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/detail/enqueue.hpp>
#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/confirmation.hpp"
#include "cli/filter.hpp"
#include "cli/other_queues.hpp"
#include "cli/output.hpp"
#include "clients/job_filter.hpp"

namespace quarq::cli {

namespace {

using broker::cancel_result;

struct cancel_options : common {
  std::vector<std::string> ids;
  filter_options which;
  bool all = false, yes = false;

  bool names_ids() const { return !ids.empty(); }
  bool has_filter() const { return all || !which.empty(); }
};

struct answer {
  cancel_result result = cancel_result::not_found;
  std::vector<std::string> elsewhere;  ///< queues that have a job of this id, if the right one has none
};

awaitable<std::vector<answer>> cancel_all(queue_ptr queue, std::vector<std::string> ids) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  std::vector<answer> answers;
  for (const auto& id : ids) {
    auto& one = answers.emplace_back();
    one.result = co_await clients::cancel(broker, queue->name(), id);
    if (one.result != cancel_result::not_found) continue;
    one.elsewhere = co_await other_queues_with(broker, queue->name(), id);
  }
  co_return answers;
}

struct wording {
  std::string_view text, json;
};

wording wording_of(cancel_result result) {
  switch (result) {
    case cancel_result::cancelled:
      return {"cancelled", "cancelled"};
    case cancel_result::requested:
      return {"requested: it is running, and its worker has been told to stop it", "requested"};
    case cancel_result::ended:
      return {"too late: it has ended", "too_late"};
    case cancel_result::not_found:
      break;
  }
  return {"not found", "not_found"};
}

int cancel_named(const cancel_options& options) {
  const auto queue = open_queue(options);
  const auto answers = run(cancel_all(queue, options.ids));
  std::vector<std::string> values;
  int code = ok;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto [text, json] = wording_of(answers[i].result);
    const auto& others = answers[i].elsewhere;
    if (answers[i].result == cancel_result::not_found) code = failed;
    if (options.json) {
      values.push_back(json_object().text("id", options.ids[i]).text("outcome", json).str());
    } else {
      const auto hint =
          others.empty() ? "" : fmt::format(" in queue {}, but in {}", queue->name(), named(others));
      print_line(fmt::format("{}: {}{}", options.ids[i], text, hint));
    }
  }
  if (options.json) print_line(json_array(values));
  return code;
}

int cancel_filtered(const cancel_options& options) {
  const clients::owned_filter which(options.which.filter(), clients::open_states, "--state");
  const auto queue = open_queue(options);
  const auto question = fmt::format("Cancel all {} of queue {} at {}?", which.in_words(), queue->name(),
                                    broker::without_password(queue->url()));
  if (!options.yes && !confirmed(question, "cancel", "cancels all jobs that it finds")) {
    complain("nothing was cancelled");
    return failed;
  }
  const auto done = run(detail::cancel(queue, options.which.filter()));
  if (options.json) {
    print_line(json_object().number("cancelled", done.cancelled).number("requested", done.requested).str());
  } else {
    const auto running = fmt::format(
        ", {} requested: they are running, and their workers have been told to stop them", done.requested);
    print_line(fmt::format("{} cancelled{}", done.cancelled, done.requested > 0 ? running : ""));
  }
  return ok;
}

int run_cancel(const cancel_options& options) {
  if (options.names_ids() == options.has_filter()) {
    throw usage_error(fmt::format(
        "cancel: expected either the ids of jobs or which ones: --state, {}, or --all", filter_names));
  }
  if (options.all && !options.which.empty()) {
    throw usage_error(
        fmt::format("cancel: --all is for all jobs: give it without --state, {}", filter_names));
  }
  return options.names_ids() ? cancel_named(options) : cancel_filtered(options);
}

}  // namespace

void add_cancel(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<cancel_options>();
  auto* command = add_command(app, "cancel", "Cancels jobs: queued, deferred or running", *options);
  add_values(*command, "ID", options->ids, "the jobs' ids");
  add_filter_options(*command, options->which);
  add_states_option(*command, options->which, "only jobs in these states: queued, deferred or running");
  command->add_flag("--all", options->all, "all queued, deferred and running jobs of the queue");
  command->add_flag("--yes", options->yes, "do not ask before cancelling those that are not named");
  command->callback([options, &chosen] { chosen = [options] { return run_cancel(*options); }; });
}

}  // namespace quarq::cli
