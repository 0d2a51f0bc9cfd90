// The whole terminal, for a command that draws on it and reads single keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/terminal.hpp"
#include "base/unique_fd.hpp"

namespace quarq::cli {

struct screen_line {
  enum class style { plain, title, chosen, alarm };
  std::string text;  ///< terminal-safe
  style as = style::plain;
};

/// Draws on the terminal's other page, and gives the terminal back as it was, whatever ends the process but SIGKILL.
/// There is one at a time.
class screen {
 public:
  /// Whether the command has a terminal on which this works.
  static bool is_possible();

  /// Throws quarq::error for a terminal that refuses it.
  screen();
  ~screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  /// The terminal, opened anew for reading: what is set for it there is not set for the shell.
  int keys() const noexcept { return keys_.get(); }
  base::terminal_size size() const noexcept;
  /// In one write. Lines that are too many or too long are cut.
  void draw(const std::vector<screen_line>& lines);
  /// False once the terminal is gone.
  bool is_there() const noexcept { return is_there_; }

  /// Gives the terminal back, stops the process as Ctrl-Z does, and takes it again when the process goes on.
  void suspend();

 private:
  void write_all(std::string_view text);

  base::unique_fd keys_;
  bool is_there_ = true;
};

/// A key that was pressed.
struct key {
  enum class kind { character, up, down, left, right, escape };
  kind what = kind::character;
  char character = 0;  ///< its byte; of others than ASCII, each byte is one
};

/// Finds keys in what terminals send for them.
class key_reader {
 public:
  std::vector<key> read(std::string_view bytes);

 private:
  std::string begun_;  ///< of a sequence that is not complete
};

}  // namespace quarq::cli
