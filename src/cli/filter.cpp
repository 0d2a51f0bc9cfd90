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

}  // namespace

void add_filter_options(CLI::App& command, filter_options& into) {
  command.add_option("--task", into.task, "only jobs of this task")->option_text("NAME");
  command.add_option("--error", into.error, "only jobs with this text in their last error: TYPE: MESSAGE")
      ->option_text("TEXT");
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
