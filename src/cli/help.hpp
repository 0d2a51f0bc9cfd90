// How the command line describes itself.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace quarq::cli {

/// CLI11's help with names alone where its own shows types and numbers.
class help_text : public CLI::Formatter {
 public:
  help_text() { column_width(26); }
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_usage(const CLI::Option* option) const override;
};

/// Below the help of `quarq` itself.
inline constexpr const char* examples = R"(Examples:
  quarq enqueue count_words '"http://127.0.0.1/page"' --delay 10s
  quarq enqueue add 2 3 --wait=30s
  quarq jobs --state dead
  quarq job 01KA2B3C4D5E6F7G8H9J0KMNPQ
  quarq requeue --all-dead
  quarq queues --broker redis://127.0.0.1/0 --json

Exit codes: 0 done, 1 failed or not found, 2 wrong command line.)";

}  // namespace quarq::cli
