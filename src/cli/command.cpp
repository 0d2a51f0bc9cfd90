#include "cli/command.hpp"

#include <filesystem>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/queue.hpp>

#include "broker/sqlite/url.hpp"

namespace quarq::cli {

namespace {

constexpr broker::milliseconds server_timeout{3'000};

void check_file(const std::string& url, if_missing missing) {
  if (!url.starts_with("sqlite:")) return;
  const std::string file = broker::sqlite::parse_url(url).settings.file;
  if (file == ":memory:") {
    throw usage_error("sqlite::memory: belongs to one process: a command would find nothing in it");
  }
  std::error_code ignored;
  if (missing == if_missing::create || std::filesystem::exists(file, ignored)) return;
  throw broker_error(fmt::format("no such file: {} (--broker or QUARQ_BROKER say where the jobs are)", file));
}

}  // namespace

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description, common& into) {
  CLI::App* command = app.add_subcommand(name, description);
  // The default is not shown: QUARQ_BROKER may have a password in it.
  command->add_option(
      "--broker", into.broker,
      "where jobs live: sqlite:FILE, redis://HOST[:PORT][/DB], ... (default: QUARQ_BROKER, or "
      "sqlite:jobs.db)");
  command->add_option("--queue", into.queue, "the queue (default: default)")->option_text("NAME");
  command->add_flag("--json", into.json, "JSON for programs instead of text");
  command->get_option("--broker")->option_text("URL");
  return command;
}

CLI::Option* add_values(CLI::App& command, const std::string& name, std::vector<std::string>& into,
                        const std::string& description) {
  constexpr int unlimited = 1 << 24;
  return command
      .add_option(
          name,
          [&into](const CLI::results_t& values) {
            into = values;
            return true;
          },
          description)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->expected(unlimited)
      ->allow_extra_args(false);
}

queue_ptr open_queue(const common& options, if_missing file) {
  const std::string url = options.broker.empty() ? default_broker_url() : options.broker;
  broker::open_options how;
  how.timeout = server_timeout;
  auto queue = std::make_shared<clients::queue_impl>(url, options.queue, how);
  check_file(url, file);
  return queue;
}

}  // namespace quarq::cli
