// Programs that tests start.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace quarq::test {

struct command_options {
  std::string input;      ///< what it reads from its standard input, which then ends
  bool terminal = false;  ///< its standard input is a terminal, on which `input` is typed
  std::vector<std::string>
      environment;     ///< "NAME=value" in addition to the test's own; "NAME" takes one away
  std::string folder;  ///< where it runs; empty: where the test does
};

struct command_result {
  int exit_code = -1;  ///< -1: ended by a signal
  int signal = 0;
  std::string out, err;
};

/// A child process. It dies with the thread that started it and with the object. Its output is read all the
/// time, so that it never waits for a reader.
class command {
 public:
  using seconds = std::chrono::duration<double>;

  /// Starts argv[0], a path or a name that is looked for in PATH. Throws std::system_error if it can't.
  explicit command(std::vector<std::string> argv, command_options options = {});
  ~command();
  command(const command&) = delete;
  command& operator=(const command&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Nothing happens if it has ended.
  void send_signal(int signal);
  bool ended() const;
  /// What it has written until now.
  std::string out() const;
  std::string err() const;

  /// Returns when `text` stands in its output or its errors; throws std::runtime_error, with both, if it ends
  /// without or the time is up.
  void wait_for(std::string_view text, seconds most = seconds(20));
  /// Waits for its end. Past the time it is killed and std::runtime_error thrown, with what it wrote.
  command_result wait(seconds most = seconds(20));

 private:
  void start(std::vector<std::string> argv, const command_options& options);
  void watch();
  void type_input();
  bool read_some(int& from, std::string& into);
  std::string told() const;

  std::string name_;
  std::string input_;
  pid_t pid_ = -1;
  int pidfd_ = -1, to_ = -1, from_out_ = -1, from_err_ = -1;
  bool terminal_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  command_result result_;
  bool ended_ = false;
  std::thread watcher_;
};

/// Starts it and waits for its end.
command_result run_command(std::vector<std::string> argv, command_options options = {},
                           command::seconds most = command::seconds(20));

}  // namespace quarq::test
