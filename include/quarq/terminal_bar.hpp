// A progress bar for map() on the terminal.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <quarq/map.hpp>

namespace quarq {

namespace detail {
class drawn_bar;

/// One line for a terminal of `width` columns, the last of which stays empty:
///     pages [########............] 120/300  2 failed  53/s  0:03 left
/// In a narrow terminal the bar shrinks first; then the last figures are left out.
std::string bar_line(std::string_view label, const progress& p, std::size_t width);
}  // namespace detail

/// The progress callback of a map: `machines.map(count_words, pages, {.max_concurrency = 50},
/// terminal_bar("pages"))`. Draws a line with a bar, counts, the mean rate and the time left on stderr, over
/// itself, at most ten times a second and at the end; then ends the line. The bar and the time left also count
/// what is done of elements under way (progress::under_way).
///
/// If stderr is not a terminal (a file, a pipe), nothing is written. If the map fails, the line is ended when
/// the last copy of the bar is destroyed: pass it as a temporary, or destroy it before printing. Copies share
/// one bar; all must be used by the same thread.
class terminal_bar {
 public:
  /// Control characters in `label` are shown as spaces. `file` is the descriptor to draw on; the caller keeps
  /// ownership of it.
  explicit terminal_bar(std::string label, int file = 2);

  void operator()(const progress& p) const;

 private:
  std::shared_ptr<detail::drawn_bar> bar_;
};

}  // namespace quarq
