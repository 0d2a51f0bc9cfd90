// Child processes that run beside a test.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "support/default_timeout.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

/// Pause between two looks.
inline constexpr std::chrono::milliseconds look_again_after{3};

/// Looks again and again until `holds` does; false if it did not within `max`.
bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds max,
                std::chrono::milliseconds pause = look_again_after);

/// Where the programs of tests/programs stand.
std::string program(const std::string& name);

/// How a process ended.
struct process_end {
  int code = -1;   ///< exit code; -1 if a signal ended it
  int signal = 0;  ///< 0 if it exited
};

/// One running program. What it prints is kept in files, so it never blocks on a reader. The destructor kills
/// it (SIGKILL, itself and its process group). The programs of tests/programs die with the test as well
/// (die_with_parent.hpp).
class process {
 public:
  using milliseconds = std::chrono::milliseconds;

  /// `words` are the program's path and its arguments; `environment` is added to the test's own. Throws
  /// std::system_error if the program can't be started.
  explicit process(std::vector<std::string> words, std::map<std::string, std::string> environment = {});
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGSTOP; returns when it stands still.
  void freeze() const;
  /// SIGCONT.
  void thaw() const;

  /// Asks without waiting: nothing while it runs.
  std::optional<process_end> ended();
  /// Waits for its end; nothing if it still runs after `max`.
  std::optional<process_end> wait(milliseconds max);

  /// All that it has written to stdout, and to stderr, so far.
  std::string output() const;
  std::string log() const;
  /// The whole lines of output().
  std::vector<std::string> lines() const;
  /// Whether stderr contains `text`, now or within `max`.
  bool logs(std::string_view text, milliseconds max) const;

 private:
  temp_dir dir_;
  pid_t pid_ = -1;
  std::optional<process_end> end_;
};

/// The last lines of a text, for messages.
std::string tail(const std::string& text, std::size_t lines = 40);

std::string read_file(const std::string& path);

}  // namespace quarq::test
