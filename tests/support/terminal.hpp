// A program on a terminal of a test's own: what it draws there, and keys for it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "support/process.hpp"

namespace quarq::test {

/// What a terminal shows of what was written to it: as much of xterm's ways as the tested programs use.
class drawn_page {
 public:
  drawn_page(std::size_t rows, std::size_t columns) { resize(rows, columns); }
  void resize(std::size_t rows, std::size_t columns);
  void write(std::string_view bytes);

  /// Its lines, without spaces at their ends. Bytes of characters beyond ASCII count as columns.
  std::string text() const;
  bool is_other_page() const noexcept { return is_other_page_; }
  bool has_cursor() const noexcept { return has_cursor_; }
  /// Control sequences that it does not know, which no program here has a reason to write.
  const std::vector<std::string>& unknown() const noexcept { return unknown_; }
  /// How often all was drawn anew.
  std::size_t paints() const noexcept { return paints_; }

 private:
  void put(char c);
  void control(const std::string& sequence);
  void erase_line_from(std::size_t column);

  std::size_t rows_ = 0, columns_ = 0, row_ = 0, column_ = 0, paints_ = 0;
  std::vector<std::string> lines_;
  std::string begun_;
  std::vector<std::string> unknown_;
  bool is_other_page_ = false, has_cursor_ = true;
};

/// Its destructor kills the program.
class on_terminal {
 public:
  struct options {
    std::size_t rows = 24, columns = 80;
    std::vector<std::string> environment = {};  ///< "NAME=value"
  };
  /// Throws std::system_error.
  on_terminal(std::vector<std::string> argv, options how);
  ~on_terminal();
  on_terminal(const on_terminal&) = delete;
  on_terminal& operator=(const on_terminal&) = delete;

  /// Whether its page holds this, now or in time.
  bool shows(std::string_view text);
  bool hides(std::string_view text);
  void type(std::string_view keys);
  void resize(std::size_t rows, std::size_t columns);
  void signal(int number) const;
  /// Waits for its end.
  std::optional<process_end> wait();
  /// Waits until it has been stopped, as by SIGSTOP.
  bool wait_until_stopped();

  const drawn_page& page();
  /// All that it has written.
  const std::string& output() const noexcept { return output_; }
  /// Whether the terminal shows what is typed, and gives it line by line.
  bool is_usual() const;

 private:
  void read_some();
  template <class F>
  bool eventually_reading(F holds);

  int master_ = -1, slave_ = -1;
  pid_t pid_ = -1;
  std::optional<process_end> end_;
  drawn_page page_;
  std::string output_;
};

}  // namespace quarq::test
