#include "cli/filter.hpp"

#include <string_view>

namespace quarq::cli {

namespace {

job_states parse_states(std::string_view option, std::string_view text) {
  job_states all;
  while (true) {
    const auto word = text.substr(0, text.find(','));
    all = all | parse_state(option, word);
    if (word.size() == text.size()) return all;
    text.remove_prefix(word.size() + 1);
  }
}

void add_text(CLI::App& command, const char* name, std::string& into, const char* shown,
              const char* description) {
  command.add_option(name, into, description)->option_text(shown);
}

void add_moment(CLI::App& command, const char* name, std::optional<time_point>& into,
                const char* description) {
  command
      .add_option_function<std::string>(
          name,
          [name, &into](const std::string& text) {
            into = std::chrono::floor<milliseconds>(parse_time(name, text));
          },
          description)
      ->option_text("WHEN");
}

}  // namespace

bool filter_options::empty() const {
  const auto all_of = task + error + id_prefix + error_type + text + tag;
  return states.empty() && all_of.empty() && !older_than && !since && !until;
}

job_filter filter_options::filter() const {
  job_filter all;
  all.state = states;
  all.task = task;
  all.error = error;
  all.older_than = older_than;
  all.id_prefix = id_prefix;
  all.error_type = error_type;
  all.text = text;
  all.tag = tag;
  all.enqueued_from = since;
  all.enqueued_until = until;
  return all;
}

void add_filter_options(CLI::App& command, filter_options& into) {
  add_text(command, "--task", into.task, "NAME", "only jobs of this task");
  add_text(command, "--error", into.error, "TEXT",
           "only jobs with this text in their last error: TYPE: MESSAGE");
  add_text(command, "--error-type", into.error_type, "TYPE", "only jobs whose last error is of this type");
  add_text(command, "--text", into.text, "TEXT", "only jobs with this text in their arguments, as JSON");
  add_text(command, "--tag", into.tag, "TAG", "only jobs with this tag");
  add_text(command, "--id-prefix", into.id_prefix, "TEXT", "only jobs whose ids begin so");
  add_moment(command, "--since", into.since, "only jobs that were enqueued at this time or later");
  add_moment(command, "--until", into.until, "only jobs that were enqueued before this time");
  command
      .add_option_function<std::string>(
          "--older-than",
          [&into](const std::string& text) { into.older_than = parse_duration("--older-than", text); },
          "only jobs that were enqueued so long ago, like 1h")
      ->option_text("TIME");
}

CLI::Option* add_states_option(CLI::App& command, filter_options& into, const std::string& description) {
  return command
      .add_option_function<std::string>(
          "--state", [&into](const std::string& text) { into.states = parse_states("--state", text); },
          description)
      ->option_text("STATE[,...]");
}

}  // namespace quarq::cli
