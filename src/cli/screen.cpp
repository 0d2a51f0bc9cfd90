#include "cli/screen.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "base/terminal.hpp"
#include "cli/text.hpp"

namespace quarq::cli {

namespace {

// The other page, no cursor, no line break at the right edge.
constexpr std::string_view begin_page = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view end_page = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::size_t default_rows = 24, default_columns = 80;
constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// Read by a signal handler.
termios settings_before{};
std::atomic<bool> is_taken = false;

void give_back() noexcept {
  if (!is_taken.exchange(false)) return;
  // A terminal that is gone needs nothing.
  [[maybe_unused]] const auto written = write(STDOUT_FILENO, end_page.data(), end_page.size());
  tcsetattr(STDIN_FILENO, TCSANOW, &settings_before);
}

// What it does next is what it does without us.
extern "C" void give_back_and_crash(int signal) {
  give_back();
  raise(signal);
}

void take() {
  if (tcgetattr(STDIN_FILENO, &settings_before) != 0)
    throw error(fmt::format("can't use the terminal: {}", std::strerror(errno)));
  auto keys_at_once = settings_before;
  keys_at_once.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys_at_once.c_iflag &= ~static_cast<tcflag_t>(IXON);  // no Ctrl-S, which would hold up all
  is_taken = true;
  if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys_at_once) != 0) {
    is_taken = false;
    throw error(fmt::format("can't use the terminal: {}", std::strerror(errno)));
  }
}

void handle_crashes(bool by_us) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  if (by_us) {
    action.sa_handler = give_back_and_crash;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
  }
  for (const int signal : crashes) sigaction(signal, &action, nullptr);
}

base::unique_fd open_keys() {
  const char* const name = ttyname(STDIN_FILENO);
  base::unique_fd opened(open(name != nullptr ? name : "/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  if (!opened) throw error(fmt::format("can't read the terminal: {}", std::strerror(errno)));
  return opened;
}

std::string_view begin_of(screen_line::style as) {
  switch (as) {
    case screen_line::style::title:
      return "\x1b[1m";
    case screen_line::style::chosen:
      return "\x1b[7m";
    case screen_line::style::alarm:
      return "\x1b[1;31m";
    case screen_line::style::plain:
      break;
  }
  return "";
}

}  // namespace

bool screen::is_possible() {
  return base::takes_escape_sequences(std::getenv("TERM")) && isatty(STDIN_FILENO) == 1 &&
         isatty(STDOUT_FILENO) == 1;
}

screen::screen() : keys_(open_keys()) {
  take();
  handle_crashes(true);
  write_all(begin_page);
}

screen::~screen() {
  give_back();
  handle_crashes(false);
}

base::terminal_size screen::size() const noexcept {
  auto size =
      base::terminal_size_of(STDOUT_FILENO).value_or(base::terminal_size{default_columns, default_rows});
  if (size.rows == 0) size.rows = default_rows;
  return size;
}

void screen::write_all(std::string_view text) {
  if (is_there_) is_there_ = base::write_whole(STDOUT_FILENO, text);
}

void screen::draw(const std::vector<screen_line>& lines) {
  const auto [columns, rows] = size();
  const auto count = std::min(lines.size(), rows);
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += "\r\n";
    text += begin_of(lines[i].as);
    text += cut(lines[i].text, columns);
    text += "\x1b[0m\x1b[K";
  }
  if (count < rows) text += "\x1b[J";
  write_all(text);
}

void screen::suspend() {
  give_back();
  raise(SIGSTOP);
  take();
  write_all(begin_page);
}

std::vector<key> key_reader::read(std::string_view bytes) {
  constexpr char escape = '\x1b';
  std::vector<key> keys;
  for (const char c : bytes) {
    if (begun_.empty()) {
      c == escape ? begun_.push_back(c) : keys.push_back({key::kind::character, c});
    } else if (begun_.size() == 1 && (c == '[' || c == 'O')) {
      begun_.push_back(c);
    } else if (begun_.size() == 1) {
      keys.push_back({key::kind::escape, 0});
      begun_.clear();
      c == escape ? begun_.push_back(c) : keys.push_back({key::kind::character, c});
    } else if (c >= '@' && c <= '~') {
      // Numbers in between say which other keys were held.
      constexpr key::kind arrows[] = {key::kind::up, key::kind::down, key::kind::right, key::kind::left};
      if (c >= 'A' && c <= 'D') keys.push_back({arrows[c - 'A'], 0});
      begun_.clear();
    }
  }
  return keys;
}

}  // namespace quarq::cli
