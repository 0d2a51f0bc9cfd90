#include "support/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "support/exec_words.hpp"
#include "support/secrets.hpp"

namespace quarq::test {

// ---- drawn_page

void drawn_page::resize(std::size_t rows, std::size_t columns) {
  rows_ = rows;
  columns_ = columns;
  lines_.resize(rows);
  for (auto& line : lines_) line.resize(columns, ' ');
  row_ = std::min(row_, rows - 1);
}

void drawn_page::erase_line_from(std::size_t column) {
  auto& line = lines_[row_];
  for (auto i = column; i < line.size(); ++i) line[i] = ' ';
}

void drawn_page::put(char c) {
  if (c == '\r') {
    column_ = 0;
  } else if (c == '\n') {
    row_ = std::min(row_ + 1, rows_ - 1);
  } else if (column_ < columns_) {
    lines_[row_][column_++] = c;
  }
}

void drawn_page::control(const std::string& sequence) {
  const auto what = sequence.substr(2);
  if (what == "H") {
    row_ = column_ = 0;
    ++paints_;
  } else if (what == "K") {
    erase_line_from(column_);
  } else if (what == "J") {
    erase_line_from(column_);
    for (auto i = row_ + 1; i < rows_; ++i) lines_[i].assign(columns_, ' ');
  } else if (what == "2J") {
    for (auto& line : lines_) line.assign(columns_, ' ');
  } else if (what == "?1049h" || what == "?1049l") {
    is_other_page_ = what.back() == 'h';
    for (auto& line : lines_) line.assign(columns_, ' ');  // nothing was on either
  } else if (what == "?25h" || what == "?25l") {
    has_cursor_ = what.back() == 'h';
  } else if (what != "?7h" && what != "?7l" && what.back() != 'm') {
    unknown_.push_back(sequence);
  }
}

void drawn_page::write(std::string_view bytes) {
  for (const char c : bytes) {
    if (begun_.empty() && c != '\x1b') {
      put(c);
      continue;
    }
    begun_.push_back(c);
    const bool is_over = begun_.size() > 2 ? c >= '@' && c <= '~' : begun_.size() == 2 && c != '[';
    if (!is_over) continue;
    begun_[1] == '[' ? control(begun_) : unknown_.push_back(begun_);
    begun_.clear();
  }
}

std::string drawn_page::text() const {
  std::string all;
  for (const auto& line : lines_) all += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  return all;
}

// ---- on_terminal

namespace {

[[noreturn]] void throw_errno_of(const char* doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

void set_size(int terminal, std::size_t rows, std::size_t columns) {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  if (ioctl(terminal, TIOCSWINSZ, &size) != 0) throw_errno_of("size of a terminal");
}

}  // namespace

on_terminal::on_terminal(std::vector<std::string> argv, options how) : page_(how.rows, how.columns) {
  master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) throw_errno_of("terminal");
  slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave_ < 0) throw_errno_of("terminal");
  set_size(master_, how.rows, how.columns);
  fcntl(master_, F_SETFL, O_NONBLOCK);
  auto environment = environment_with(how.environment);
  const auto arguments = pointers_to(argv), variables = pointers_to(environment);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw_errno_of("fork");
  if (pid_ != 0) return;
  // Its own session, so that the terminal is its own, too, and what is typed there signals it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const bool ready = getppid() == parent && setsid() >= 0 && ioctl(slave_, TIOCSCTTY, 0) == 0 &&
                     dup2(slave_, 0) == 0 && dup2(slave_, 1) == 1 && dup2(slave_, 2) == 2;
  if (ready) execve(arguments[0], arguments.data(), variables.data());
  _exit(127);
}

on_terminal::~on_terminal() {
  if (!end_) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(slave_);
  close(master_);
  expect_no_secret("a program on a terminal", output_);
}

void on_terminal::read_some() {
  char bytes[16'384];
  ssize_t count = 0;
  while ((count = read(master_, bytes, sizeof bytes)) > 0) {
    const std::string_view some(bytes, static_cast<std::size_t>(count));
    output_ += some;
    page_.write(some);
  }
}

template <class F>
bool on_terminal::eventually_reading(F holds) {
  return eventually(
      [&] {
        read_some();
        return holds();
      },
      default_timeout);
}

bool on_terminal::shows(std::string_view text) {
  return eventually_reading([&] { return page_.text().find(text) != std::string::npos; });
}

bool on_terminal::hides(std::string_view text) {
  return eventually_reading([&] { return page_.text().find(text) == std::string::npos; });
}

void on_terminal::type(std::string_view keys) {
  if (write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) throw_errno_of("type");
}

void on_terminal::resize(std::size_t rows, std::size_t columns) {
  read_some();
  page_.resize(rows, columns);
  set_size(master_, rows, columns);
}

void on_terminal::signal(int number) const {
  if (!end_) ::kill(pid_, number);
}

std::optional<process_end> on_terminal::wait() {
  eventually_reading([this] {
    int status = 0;
    if (end_ || waitpid(pid_, &status, WNOHANG) != pid_) return end_.has_value();
    end_ = WIFSIGNALED(status) ? process_end{-1, WTERMSIG(status)} : process_end{WEXITSTATUS(status), 0};
    return true;
  });
  read_some();
  return end_;
}

bool on_terminal::wait_until_stopped() {
  return eventually_reading([this] {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == pid_;
  });
}

const drawn_page& on_terminal::page() {
  read_some();
  return page_;
}

bool on_terminal::is_usual() const {
  termios now{};
  return tcgetattr(slave_, &now) == 0 && (now.c_lflag & ICANON) != 0 && (now.c_lflag & ECHO) != 0;
}

}  // namespace quarq::test
