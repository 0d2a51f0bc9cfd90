// Shared by all commands of the quarq command line. Each command is a file with one function, add_..., that
// declares it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "clients/queue_impl.hpp"

namespace quarq::cli {

inline constexpr int ok = 0;
inline constexpr int failed = 1;
inline constexpr int wrong_usage = 2;

/// Set by the command that the command line names; returns the exit code. Throws quarq::usage_error for a
/// wrong command line, quarq::error for everything else.
using chosen_command = std::function<int()>;

void add_queues(CLI::App& app, chosen_command& chosen);
void add_jobs(CLI::App& app, chosen_command& chosen);
void add_job(CLI::App& app, chosen_command& chosen);
void add_enqueue(CLI::App& app, chosen_command& chosen);
void add_cancel(CLI::App& app, chosen_command& chosen);
void add_requeue(CLI::App& app, chosen_command& chosen);
void add_purge(CLI::App& app, chosen_command& chosen);
void add_pause(CLI::App& app, chosen_command& chosen);
void add_resume(CLI::App& app, chosen_command& chosen);
void add_cron(CLI::App& app, chosen_command& chosen);
void add_gateway(CLI::App& app, chosen_command& chosen);
void add_dashboard(CLI::App& app, chosen_command& chosen);
void add_workers(CLI::App& app, chosen_command& chosen);
void add_top(CLI::App& app, chosen_command& chosen);

/// The options of every command.
struct common {
  std::string broker;
  std::string queue = "default";
  bool json = false;
};

/// A subcommand with the common options.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description, common& into);

/// Positional arguments of a command, taken as they are: CLI11 would read "[1,2]" as two and "{}" as none.
CLI::Option* add_values(CLI::App& command, const std::string& name, std::vector<std::string>& into,
                        const std::string& description);

using queue_ptr = std::shared_ptr<clients::queue_impl>;
using broker_ptr = std::shared_ptr<broker::broker>;

enum class if_missing { refuse, create };

/// The queue that the options name. Throws usage_error for a wrong URL or name, and broker_error for a
/// SQLite file that does not exist. Calls on its broker wait about three seconds for a server.
queue_ptr open_queue(const common& options, if_missing file = if_missing::refuse);

}  // namespace quarq::cli
