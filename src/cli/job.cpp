// quarq job
#include <memory>
#include <optional>

#include <boost/asio/this_coro.hpp>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/job_text.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

struct job_options : common {
  std::string id;
};

awaitable<std::optional<job_info>> fetch(queue_ptr queue, std::string id) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  const auto details = co_await broker->inspect(queue->name(), id);
  if (!details) co_return std::nullopt;
  const auto workers = co_await broker->workers(queue->name());
  co_return described_job(queue->name(), *details, names_of(workers));
}

int run_job(const job_options& options) {
  const auto queue = open_queue(options);
  const auto job = run(fetch(queue, options.id));
  if (!job) throw job_not_found(options.id);
  if (options.json) {
    print_line(job_json(*job));
  } else {
    print(job_lines(*job, now()));
  }
  return ok;
}

}  // namespace

void add_job(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<job_options>();
  auto* command = add_command(app, "job", "Everything that is known about one job", *options);
  command->add_option("ID", options->id, "the job's id")->required();
  command->callback([options, &chosen] { chosen = [options] { return run_job(*options); }; });
}

}  // namespace quarq::cli
