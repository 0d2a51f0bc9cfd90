#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include <quarq/terminal_bar.hpp>

#include "base/terminal.hpp"
#include "codecs/utf8.hpp"

namespace quarq {
namespace detail {
namespace {

constexpr std::chrono::milliseconds between_draws{100};
constexpr std::size_t default_width = 80, min_bar = 5, max_bar = 40;
// Longer times left are shown as this.
constexpr double max_left_s = 99 * 3600;

// Columns, assuming one per character.
std::size_t columns(std::string_view text) {
  return codecs::count_characters(text);
}

std::string first_columns(std::string_view text, std::size_t max) {
  std::size_t seen = 0, end = 0;
  while (end < text.size() && (seen < max || codecs::continues_character(text[end])))
    seen += !codecs::continues_character(text[end++]);
  return std::string(text.substr(0, end));
}

std::string duration_text(double seconds) {
  const auto s = static_cast<long>(std::ceil(std::min(seconds, max_left_s)));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

// In elements, with the fractions of those that are under way.
double work_done(const progress& p) {
  return static_cast<double>(p.done) + p.under_way;
}

// The text behind the bar, the most important part first.
std::vector<std::string> figures(const progress& p) {
  std::vector<std::string> all;
  all.push_back(p.total ? fmt::format("{}/{}", p.done, *p.total) : fmt::format("{}", p.done));
  if (p.failed > 0) all.push_back(fmt::format("{} failed", p.failed));
  const double seconds = std::chrono::duration<double>(p.elapsed).count();
  const double worked = work_done(p);
  if (worked <= 0 || seconds <= 0) return all;
  const double rate = static_cast<double>(p.done) / seconds;
  if (p.done > 0) all.push_back(rate < 10 ? fmt::format("{:.1f}/s", rate) : fmt::format("{:.0f}/s", rate));
  if (!p.total) return all;
  const double left = std::max(static_cast<double>(*p.total) - worked, 0.0);
  all.push_back(p.done >= *p.total ? "in " + duration_text(seconds)
                                   : duration_text(left * seconds / worked) + " left");
  return all;
}

std::string bar(const progress& p, std::size_t length) {
  const auto total = static_cast<double>(*p.total), columns = static_cast<double>(length);
  const double filled = *p.total == 0 ? columns : columns * std::min(work_done(p), total) / total;
  const auto full = static_cast<std::size_t>(filled);
  return fmt::format(" [{}{}]", std::string(full, '#'), std::string(length - full, '.'));
}

}  // namespace

std::string bar_line(std::string_view label, const progress& p, std::size_t width) {
  const std::size_t room = width > 0 ? width - 1 : 0;
  auto behind = figures(p);
  const auto text = [&] {
    std::string joined;
    for (const auto& one : behind) joined += (joined.empty() ? " " : "  ") + one;
    return joined;
  };
  while (behind.size() > 1 && columns(label) + columns(text()) > room) behind.pop_back();
  const std::string counts = text();
  const std::size_t used = columns(label) + counts.size() + 3;  // with the brackets and the space before
  std::string line(label);
  if (p.total && room >= used + min_bar) line += bar(p, std::min(max_bar, room - used));
  return first_columns(line + counts, room);
}

// Shared by the copies of one terminal_bar.
class drawn_bar {
 public:
  drawn_bar(std::string label, int file) : label_(std::move(label)), file_(file), draws_(is_terminal(file)) {
    const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7F; };
    std::replace_if(label_.begin(), label_.end(), is_control, ' ');
  }
  ~drawn_bar() {
    if (line_begun_) draw("\n");
  }
  drawn_bar(const drawn_bar&) = delete;
  drawn_bar& operator=(const drawn_bar&) = delete;

  void show(const progress& p) {
    if (!draws_) return;
    now_ = p;
    const bool is_last = p.total && p.done >= *p.total;
    if (!is_last && line_begun_ && std::chrono::steady_clock::now() - drawn_at_ < between_draws) return;
    draw(is_last ? "\n" : "");
    line_begun_ = !is_last;
  }

 private:
  static bool is_terminal(int file) {
    return isatty(file) == 1 && base::takes_escape_sequences(std::getenv("TERM"));
  }

  // Asked each time, since a terminal may be resized.
  std::size_t width() const { return base::terminal_columns(file_).value_or(default_width); }

  void draw(const char* end) {
    constexpr const char* erase_to_the_right = "\x1b[K";
    const std::string text = "\r" + bar_line(label_, now_, width()) + erase_to_the_right + end;
    // A terminal that can't be written to is no reason to fail.
    [[maybe_unused]] const auto written = ::write(file_, text.data(), text.size());
    drawn_at_ = std::chrono::steady_clock::now();
  }

  std::string label_;
  int file_;
  bool draws_;
  progress now_;
  bool line_begun_ = false;
  std::chrono::steady_clock::time_point drawn_at_;
};

}  // namespace detail

terminal_bar::terminal_bar(std::string label, int file)
    : bar_(std::make_shared<detail::drawn_bar>(std::move(label), file)) {}

void terminal_bar::operator()(const progress& p) const {
  bar_->show(p);
}

}  // namespace quarq
