// The quarq command: looks after queues and jobs from a terminal or a script.
#include <csignal>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <quarq/errors.hpp>

#include "base/log.hpp"
#include "cli/command.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

void add_help(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("help", "This text, or the help of one command");
  const auto name = std::make_shared<std::string>();
  command->add_option("COMMAND", *name, "a command's name");
  command->callback([&app, name, &chosen] {
    chosen = [&app, name] {
      const auto* about = name->empty() ? &app : app.get_subcommand_ptr(*name).get();
      print(about->help(name->empty() ? "" : "quarq"));
      return ok;
    };
  });
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

void declare(CLI::App& app, chosen_command& chosen) {
  app.name("quarq");
  app.formatter(std::make_shared<help_text>());
  app.set_version_flag("--version", "quarq " QUARQ_VERSION);
  app.require_subcommand(1);
  app.footer(examples);
  for (const auto add : {add_queues, add_jobs, add_job, add_enqueue, add_cancel, add_requeue, add_purge,
                         add_workers, add_help}) {
    add(app, chosen);
  }
}

// CLI11 would say only that a subcommand is required.
void check_command(const CLI::App& app, int argc, char** argv) {
  const auto names = names_of_commands(app);
  if (argc < 2) throw invalid_argument(fmt::format("expected a command: {}", fmt::join(names, ", ")));
  const std::string name = argv[1];
  if (name.starts_with('-') || std::find(names.begin(), names.end(), name) != names.end()) return;
  throw invalid_argument(fmt::format("\"{}\" is not a command: expected {}", name, fmt::join(names, ", ")));
}

int wrong_line(const std::string& message, const CLI::App& app) {
  const auto named = app.get_subcommands();
  const std::string help =
      named.empty() ? "quarq --help" : fmt::format("quarq {} --help", named.front()->get_name());
  complain(fmt::format("{} (see {})", message, help));
  return wrong_usage;
}

int run_command_line(int argc, char** argv) {
  chosen_command chosen;
  CLI::App app("Looks after the jobs of a quarq broker.");
  try {
    declare(app, chosen);
    check_command(app, argc, argv);
    app.parse(argc, argv);
    return chosen();
  } catch (const CLI::Success& e) {
    // What was asked for is text: a help or the version.
    return app.exit(e);
  } catch (const CLI::Error& e) {
    return wrong_line(e.what(), app);
  } catch (const invalid_argument& e) {
    return wrong_line(e.what(), app);
  } catch (const std::exception& e) {
    complain(e.what());
    return failed;
  }
}

}  // namespace

}  // namespace quarq::cli

int main(int argc, char** argv) {
  // A reader that has seen enough (| head) shows as an error of writing, and ends nothing half way.
  std::signal(SIGPIPE, SIG_IGN);
  // What went wrong is said once, by the command itself.
  quarq::base::set_log_level("off");
  const int code = quarq::cli::run_command_line(argc, argv);
  return quarq::cli::finish_output() ? code : quarq::cli::failed;
}
