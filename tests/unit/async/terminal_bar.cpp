#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <quarq/coroutines.hpp>
#include <quarq/run.hpp>
#include <quarq/terminal_bar.hpp>

namespace quarq {
namespace {

using namespace std::chrono_literals;
using detail::bar_line;

progress at(std::size_t done, std::optional<std::size_t> total, std::chrono::nanoseconds elapsed,
            std::size_t failed = 0) {
  progress p;
  p.done = done;
  p.total = total;
  p.elapsed = elapsed;
  p.failed = failed;
  return p;
}

TEST(bar_line, shows_counts_rate_and_time_left) {
  EXPECT_EQ(bar_line("pages", at(30, 120, 10s), 60),
            "pages [######....................] 30/120  3.0/s  0:30 left");
  EXPECT_EQ(bar_line("pages", at(30, 120, 100ms), 60),
            "pages [######....................] 30/120  300/s  0:01 left");
  EXPECT_EQ(bar_line("pages", at(120, 120, 75s, 3), 60),
            "pages [#################] 120/120  3 failed  1.6/s  in 1:15");
  EXPECT_EQ(bar_line("x", at(1, 10'000, 1s), 200).find("2:46:39 left") != std::string::npos, true);
}

TEST(bar_line, fills_with_the_fractions_of_what_is_under_way_and_counts_whole_elements) {
  auto p = at(30, 120, 10s);
  p.under_way = 30;
  EXPECT_EQ(bar_line("pages", p, 60), "pages [#############.............] 30/120  3.0/s  0:10 left");
  p = at(0, 4, 10s);
  p.under_way = 1;
  EXPECT_EQ(bar_line("x", p, 40), "x [#####...............] 0/4  0:30 left") << "no rate: none has ended";
  p.under_way = 4;
  EXPECT_EQ(bar_line("x", p, 40), "x [####################] 0/4  0:00 left");
}

TEST(bar_line, without_a_total_has_no_bar) {
  EXPECT_EQ(bar_line("lines", at(1234, std::nullopt, 2s, 1), 80), "lines 1234  1 failed  617/s");
}

TEST(bar_line, before_anything_is_known) {
  EXPECT_EQ(bar_line("x", at(0, 4, 0s), 20), "x [...........] 0/4");
  EXPECT_EQ(bar_line("", at(0, 0, 0s), 20), " [############] 0/0");
}

TEST(bar_line, leaves_out_what_has_no_room) {
  const auto p = at(30, 120, 10s);
  EXPECT_EQ(bar_line("pages", p, 33), "pages 30/120  3.0/s  0:30 left");
  EXPECT_EQ(bar_line("pages", p, 28), "pages [#....] 30/120  3.0/s");
  EXPECT_EQ(bar_line("pages", p, 13), "pages 30/120");
  EXPECT_EQ(bar_line("pages", p, 8), "pages 3");
  EXPECT_EQ(bar_line("pages", p, 1), "");
  EXPECT_EQ(bar_line("pages", p, 0), "");
}

TEST(bar_line, never_fills_the_last_column) {
  const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  for (std::size_t width = 1; width < 120; ++width) {
    for (const char* label :
         {"", "pages", "Seiten über Möwen", "a label that is rather long for a narrow terminal"}) {
      const auto line = bar_line(label, at(7, 300, 3s, 2), width);
      EXPECT_LT(static_cast<std::size_t>(std::count_if(line.begin(), line.end(), is_start)), width) << line;
    }
  }
}

/// A terminal whose screen is what was written to it.
class pseudo_terminal {
 public:
  explicit pseudo_terminal(unsigned short columns) {
    setenv("TERM", "xterm", 1);  // not that of who runs the tests, which may be dumb
    winsize size{};
    size.ws_row = 25;
    size.ws_col = columns;
    if (openpty(&master_, &slave_, nullptr, nullptr, &size) != 0) throw std::runtime_error("openpty");
    fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  ~pseudo_terminal() {
    close(master_);
    close(slave_);
  }
  pseudo_terminal(const pseudo_terminal&) = delete;
  pseudo_terminal& operator=(const pseudo_terminal&) = delete;

  int file() const { return slave_; }
  void resize(unsigned short columns) const {
    winsize size{};
    size.ws_row = 25;
    size.ws_col = columns;
    ioctl(slave_, TIOCSWINSZ, &size);
  }
  std::string written() const {
    std::string all;
    char some[4096];
    for (ssize_t n = 0; (n = read(master_, some, sizeof some)) > 0;)
      all.append(some, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int master_ = -1, slave_ = -1;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

std::string drawn(const progress& p, std::size_t width) {
  return "\r" + bar_line("pages", p, width) + "\x1b[K";
}

TEST(terminal_bar, draws_over_itself_and_ends_the_line_at_the_end) {
  const pseudo_terminal screen(60);
  const terminal_bar bar("pages", screen.file());
  bar(at(1, 2, 1s));
  EXPECT_EQ(screen.written(), drawn(at(1, 2, 1s), 60));
  bar(at(2, 2, 2s));
  EXPECT_EQ(screen.written(), drawn(at(2, 2, 2s), 60) + "\r\n");
}

TEST(terminal_bar, follows_the_width_of_the_terminal) {
  const pseudo_terminal screen(60);
  const terminal_bar bar("pages", screen.file());
  bar(at(1, 2, 1s));
  screen.resize(30);
  bar(at(2, 2, 2s));
  EXPECT_EQ(screen.written(), drawn(at(1, 2, 1s), 60) + drawn(at(2, 2, 2s), 30) + "\r\n");
  screen.resize(0);
  bar(at(1, 1, 1s));
  EXPECT_EQ(screen.written(), drawn(at(1, 1, 1s), 80) + "\r\n") << "a terminal that does not know its width";
}

TEST(terminal_bar, draws_at_most_ten_times_a_second) {
  const pseudo_terminal screen(60);
  const terminal_bar bar("pages", screen.file());
  const auto begin = std::chrono::steady_clock::now();
  std::string all;
  for (std::size_t i = 1; i <= 20'000; ++i) {
    bar(at(i, 20'000, 1s));
    if (i % 1000 == 0) all += screen.written();
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LE(count(all, "pages"), static_cast<std::size_t>(took / 100ms) + 2);
  EXPECT_TRUE(all.ends_with("\r\n"));
}

TEST(terminal_bar, that_is_let_go_ends_its_line) {
  const pseudo_terminal screen(60);
  {
    const terminal_bar bar("pages", screen.file());
    const auto copy = bar;
    copy(at(1, 3, 1s));
    bar(at(2, 3, 2s));
  }
  EXPECT_EQ(screen.written(), drawn(at(1, 3, 1s), 60) + drawn(at(2, 3, 2s), 60) + "\r\n");
  {
    const terminal_bar never_used("pages", screen.file());
  }
  EXPECT_EQ(screen.written(), "");
}

int fails_at_two(int n) {
  return n == 2 ? throw std::runtime_error("two") : n;
}

TEST(terminal_bar, of_a_map_that_fails_leaves_a_clean_line) {
  const pseudo_terminal screen(60);
  const auto caller = [&]() -> awaitable<void> {
    const std::vector<int> numbers = {0, 1, 2, 3};
    try {
      co_await coroutines().map(fails_at_two, numbers, {}, terminal_bar("pages", screen.file()));
    } catch (const std::runtime_error&) {
      const auto text = screen.written();
      EXPECT_TRUE(text.ends_with("\r\n")) << text;
      EXPECT_NE(text.find("3/4  1 failed"), std::string::npos) << text;
    }
  };
  run(caller());
}

TEST(terminal_bar, keeps_control_characters_off_the_terminal) {
  const pseudo_terminal screen(60);
  const terminal_bar bar("pa\n\x1b[2Jges", screen.file());
  bar(at(1, 1, 1s));
  EXPECT_TRUE(screen.written().starts_with("\rpa  [2Jges ["));
}

TEST(terminal_bar, writes_nothing_to_what_is_no_terminal) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  {
    const terminal_bar bar("pages", ends[1]);
    bar(at(1, 2, 1s));
    bar(at(2, 2, 1s));
    bar(at(1, 2, 1s));
  }
  char c;
  EXPECT_EQ(read(ends[0], &c, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
  close(ends[0]);
  close(ends[1]);
}

/// Puts another file in the place of stderr for a while.
class other_stderr {
 public:
  explicit other_stderr(int file) : kept_(dup(2)) { dup2(file, 2); }
  ~other_stderr() {
    dup2(kept_, 2);
    close(kept_);
  }
  other_stderr(const other_stderr&) = delete;
  other_stderr& operator=(const other_stderr&) = delete;

 private:
  int kept_;
};

TEST(terminal_bar, draws_on_stderr) {
  const pseudo_terminal screen(60);
  {
    const other_stderr replaced(screen.file());
    const terminal_bar bar("pages");
    bar(at(1, 1, 1s));
  }
  EXPECT_EQ(screen.written(), drawn(at(1, 1, 1s), 60) + "\r\n");
}

}  // namespace
}  // namespace quarq
