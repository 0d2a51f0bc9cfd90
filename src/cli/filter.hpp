// The options that say which jobs a command is for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <quarq/job_filter.hpp>

#include "cli/text.hpp"

namespace quarq::cli {

struct filter_options {
  job_states states;
  std::string task, error;
  std::optional<milliseconds> older_than;

  bool empty() const { return states.empty() && task.empty() && error.empty() && !older_than; }
  /// Valid while this is.
  job_filter filter() const { return {states, task, error, older_than}; }
};

/// --task, --error and --older-than, into `into`, which outlives the command.
void add_filter_options(CLI::App& command, filter_options& into);
/// --state, with several of them divided by commas.
CLI::Option* add_states_option(CLI::App& command, filter_options& into, const std::string& description);

}  // namespace quarq::cli
