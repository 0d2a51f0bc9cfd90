// The quarq command: inspects and manages queues and jobs, from a terminal or a script.
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

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App& command_named(const CLI::App& app, const std::string& name) {
  std::vector<std::string> names;
  for (const auto* command : commands_of(app)) {
    names.push_back(command->get_name());
    if (command->get_name() == name) return *command;
  }
  const std::string what =
      name.empty() ? "no command was given: " : fmt::format("\"{}\" is not a command: ", name);
  throw usage_error(fmt::format("{}expected {}", what, fmt::join(names, ", ")));
}

void add_help(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("help", "This text, or the help of one command");
  const auto name = std::make_shared<std::string>();
  command->add_option("COMMAND", *name, "a command's name");
  command->callback([&app, name, &chosen] {
    chosen = [&app, name] {
      const auto& about = name->empty() ? app : command_named(app, *name);
      const std::string full_name = name->empty() ? "quarq" : "quarq " + *name;
      print(app.get_formatter()->make_help(&about, full_name, CLI::AppFormatMode::Normal));
      return ok;
    };
  });
}

void declare(CLI::App& app, chosen_command& chosen) {
  app.name("quarq");
  app.set_help_flag("-h,--help", "this text");
  app.formatter(std::make_shared<help_text>());
  app.set_version_flag("--version", "quarq " QUARQ_VERSION);
  app.require_subcommand(1);
  for (const auto add :
       {add_queues, add_jobs, add_job, add_enqueue, add_cancel, add_requeue, add_purge, add_pause, add_resume,
        add_cron, add_workers, add_top, add_gateway, add_dashboard, add_help}) {
    add(app, chosen);
  }
  // Last: commands would inherit a footer that is set before they are added.
  app.footer(examples);
}

// CLI11 would say only that a subcommand is required.
void check_command(const CLI::App& app, int argc, char** argv) {
  const std::string name = argc < 2 ? "" : argv[1];
  if (!name.starts_with('-')) command_named(app, name);
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
  CLI::App app("Inspects and manages the jobs of a quarq broker.");
  try {
    declare(app, chosen);
    check_command(app, argc, argv);
    app.parse(argc, argv);
    return chosen();
  } catch (const CLI::Success& e) {
    // --help or --version.
    return app.exit(e);
  } catch (const CLI::Error& e) {
    return wrong_line(e.what(), app);
  } catch (const usage_error& e) {
    return wrong_line(e.what(), app);
  } catch (const std::exception& e) {
    complain(e.what());
    return failed;
  }
}

}  // namespace

}  // namespace quarq::cli

int main(int argc, char** argv) {
  // A reader that stops reading (| head) shows as an error of writing, and must not end the command half way.
  std::signal(SIGPIPE, SIG_IGN);
  // The command itself reports errors, once.
  quarq::base::set_log_level("off");
  const int code = quarq::cli::run_command_line(argc, argv);
  return quarq::cli::finish_output() ? code : quarq::cli::failed;
}
