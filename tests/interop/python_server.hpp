// Python programs, without the second that each interpreter takes to import arq.
#pragma once

#include <string>

#include "support/command.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

/// An interpreter that has imported a module of tests/interop, and runs programs in copies of itself
/// (python_server.py). It ends with this object, as do its programs.
class python_server {
 public:
  python_server(const std::string& interpreter, const std::string& module);

  /// False if the module, or what that needs, can't be imported.
  bool is_ready() const noexcept { return is_ready_; }
  /// Why it is not.
  std::string log() const { return process_.log(); }

  /// Runs the program, which finds all names of the module, and waits for its end. Throws std::runtime_error
  /// past the time. Thread-safe.
  command_result run(const std::string& program, std::chrono::milliseconds max = test_timeout) const;

 private:
  temp_dir dir_;
  process process_;
  bool is_ready_;
};

}  // namespace quarq::test
