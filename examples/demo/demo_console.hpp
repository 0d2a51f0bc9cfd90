// Where the demo plays: its processes, what they say, and how it is told.
#pragma once

#include <chrono>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>

#include "child.hpp"

/// Ctrl-C, SIGTERM or SIGHUP.
struct interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Shows the lines of all processes as they come, and lets the demo wait for one of them. When it is
/// destroyed, all processes have ended.
class demo_console {
 public:
  using seconds = std::chrono::seconds;

  /// From now on the signals that would end the demo only interrupt its waiting.
  demo_console();
  ~demo_console();
  demo_console(const demo_console&) = delete;
  demo_console& operator=(const demo_console&) = delete;

  /// A program that stands in the same folder as this one.
  child& start(std::string label, const std::string& program, std::vector<std::string> arguments);

  /// Waits until `who` says a line that contains `text`, and returns that line. Throws std::runtime_error if
  /// it ends before that, or takes longer than `max`.
  std::string expect(child& who, std::string_view text, seconds max);
  /// Waits until it has ended and all that it said is shown; its status as waitpid gives it.
  int wait(child& who, seconds max);

  /// A heading, or a line of the story.
  void headline(std::string_view text);
  void say(std::string_view text);

 private:
  struct heard {
    const child* who;
    std::string line;
  };

  void pump(std::chrono::steady_clock::time_point end);
  void show(const child& who, const std::string& line);
  std::string last_words(const child& who) const;
  void print(std::string_view style, std::string_view before, std::string_view text);

  std::list<child> children_;
  std::list<heard> unread_;  // what nobody has expected yet
  std::list<heard> last_;    // one of each child
  int signals_ = -1;
  bool colours_ = false;
};
