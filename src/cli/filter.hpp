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
  std::string task, error, id_prefix, error_type, text, tag;
  std::optional<milliseconds> older_than;
  std::optional<time_point> since, until;

  bool empty() const;
  /// Valid while this is.
  job_filter filter() const;
};

/// For messages about wrong command lines.
inline constexpr const char* filter_names =
    "--task, --error, --error-type, --text, --tag, --id-prefix, --older-than, --since or --until";

/// Those, into `into`, which outlives the command.
void add_filter_options(CLI::App& command, filter_options& into);
/// --state, with several of them divided by commas.
CLI::Option* add_states_option(CLI::App& command, filter_options& into, const std::string& description);

}  // namespace quarq::cli
