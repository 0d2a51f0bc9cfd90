// Programs that a test runs from start to end. (One that runs beside a test is a process.)
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "support/default_timeout.hpp"

namespace quarq::test {

struct command_options {
  std::string input;           ///< what it reads from its standard input, which then ends
  bool terminal = false;       ///< its standard input is a terminal, on which `input` is typed
  bool output_closed = false;  ///< nobody reads its standard output
  std::vector<std::string>
      environment;     ///< "NAME=value" in addition to the test's own; "NAME" takes one away
  std::string folder;  ///< where it runs; empty: where the test does
};

struct command_result {
  int exit_code = -1;  ///< -1: ended by a signal
  int signal = 0;
  std::string out, err;
};

/// Runs argv[0], a path or a name that is looked for in PATH, and waits for its end. It dies with the test.
/// Throws std::system_error if it can't be started; past the time it is killed and std::runtime_error thrown,
/// with what it wrote.
command_result run_command(std::vector<std::string> argv, command_options options = {},
                           std::chrono::milliseconds max = default_timeout);

}  // namespace quarq::test
