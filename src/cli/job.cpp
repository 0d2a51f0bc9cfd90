// quarq job
#include <memory>
#include <optional>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/job_text.hpp"
#include "cli/other_queues.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

struct job_options : common {
  std::string id;
  bool in_any_queue = true;  ///< no queue was named
};

struct found_job {
  job_info info;
  std::string waits_for;
};

awaitable<std::optional<found_job>> fetch_from(broker_ptr broker, std::string queue, std::string id) {
  const auto details = co_await broker->inspect(queue, id);
  if (!details) co_return std::nullopt;
  const auto workers = co_await broker->workers(queue);
  found_job found;
  found.info = described_job(queue, *details, clients::names_of(workers));
  if (found.info.state == job_state::running) found.waits_for = clients::awaited_by(id, workers);
  co_return std::move(found);
}

awaitable<found_job> fetch(queue_ptr queue, job_options options) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  auto job = co_await fetch_from(broker, queue->name(), options.id);
  if (job) co_return std::move(*job);
  const auto others = co_await other_queues_with(broker, queue->name(), options.id);
  if (others.empty()) throw job_not_found(options.id);
  if (!options.in_any_queue || others.size() > 1) {
    throw error(fmt::format("no job with id \"{}\" in queue {}, but in {}: say --queue {}", options.id,
                            queue->name(), named(others), others.front()));
  }
  auto found = co_await fetch_from(broker, others.front(), options.id);
  if (!found) throw job_not_found(options.id);
  co_return std::move(*found);
}

int run_job(const job_options& options) {
  const auto queue = open_queue(options);
  const auto job = run(fetch(queue, options));
  if (options.json) {
    print_line(job_json(job.info, job.waits_for));
  } else {
    print(job_lines(job.info, now(), job.waits_for));
  }
  return ok;
}

}  // namespace

void add_job(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<job_options>();
  auto* command =
      add_command(app, "job", "Everything that is known about one job, in whatever queue it is", *options);
  command->add_option("ID", options->id, "the job's id")->required();
  command->callback([command, options, &chosen] {
    options->in_any_queue = command->count("--queue") == 0;
    chosen = [options] { return run_job(*options); };
  });
}

}  // namespace quarq::cli
