// quarq purge
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/confirmation.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

struct purge_options : common {
  job_state state = job_state::dead;
  bool yes = false;
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
  const auto question = fmt::format("Forget all {} jobs of queue {} at {}?", to_string(options.state),
                                    queue->name(), broker::without_password(queue->url()));
  if (!options.yes && !confirmed(question, "purge", "forgets jobs")) {
    complain("nothing was purged");
    return failed;
  }
  const auto count = run(purge(queue, options.state));
  print_line(options.json ? json_object().number("purged", count).str() : fmt::format("{} purged", count));
  return ok;
}

}  // namespace

void add_purge(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<purge_options>();
  auto* command = add_command(app, "purge", "Forgets all jobs of a queue that are in one state", *options);
  command
      ->add_option_function<std::string>(
          "--state", [options](const std::string& text) { options->state = parse_state("--state", text); },
          "queued, deferred, succeeded, failed, cancelled, expired or dead")
      ->required()
      ->option_text("STATE REQUIRED");
  command->add_flag("--yes", options->yes, "do not ask");
  command->callback([options, &chosen] { chosen = [options] { return run_purge(*options); }; });
}

}  // namespace quarq::cli
