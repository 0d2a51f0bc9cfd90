// quarq purge
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/detail/enqueue.hpp>
#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/confirmation.hpp"
#include "cli/filter.hpp"
#include "cli/output.hpp"
#include "clients/job_filter.hpp"

namespace quarq::cli {

namespace {

struct purge_options : common {
  job_state state = job_state::dead;
  filter_options which;
  bool yes = false;

  job_filter filter() const {
    auto all = which.filter();
    all.state = state;
    return all;
  }
};

awaitable<std::size_t> purge(queue_ptr queue, job_state state) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto count = co_await broker->purge(queue->name(), state);
  co_return count;
}

int run_purge(const purge_options& options) {
  if (options.state == job_state::running) {
    throw usage_error("--state: running jobs can't be purged, cancel them instead");
  }
  const auto queue = open_queue(options);
  const clients::owned_filter which(options.filter(), clients::purgeable_states, "--state");
  const auto question = fmt::format("Forget all {} of queue {} at {}?", which.in_words(), queue->name(),
                                    broker::without_password(queue->url()));
  if (!options.yes && !confirmed(question, "purge", "forgets jobs")) {
    complain("nothing was purged");
    return failed;
  }
  // All of a state go without being looked at.
  const auto count =
      options.which.empty() ? run(purge(queue, options.state)) : run(detail::purge(queue, options.filter()));
  print_line(options.json ? json_object().number("purged", count).str() : fmt::format("{} purged", count));
  return ok;
}

}  // namespace

void add_purge(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<purge_options>();
  auto* command = add_command(app, "purge", "Forgets jobs of a queue that are in one state", *options);
  command
      ->add_option_function<std::string>(
          "--state", [options](const std::string& text) { options->state = parse_state("--state", text); },
          "queued, deferred, succeeded, failed, cancelled, expired or dead")
      ->required()
      ->option_text("STATE REQUIRED");
  add_filter_options(*command, options->which);
  command->add_flag("--yes", options->yes, "do not ask");
  command->callback([options, &chosen] { chosen = [options] { return run_purge(*options); }; });
}

}  // namespace quarq::cli
