// A bar that shows how far a map has come.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <quarq/map.hpp>

namespace quarq {

namespace detail {
class drawn_bar;

/// One line for a terminal of `width` columns, without the last of them:
///     pages [########............] 120/300  2 failed  53/s  0:03 left
/// The bar shrinks where there is little room; then what stands last is left out.
std::string bar_line(std::string_view label, const progress& p, std::size_t width);
}  // namespace detail

/// For map_options::on_progress: `machines.map(count_words, pages, at_once(50).on_progress(terminal_bar(
/// "pages")))`. Draws a line with a bar, counts, the mean rate and the time left on stderr, over itself, at
/// most ten times a second; at the end once more, and then ends the line.
///
/// If stderr is not a terminal (a file, a pipe), nothing is written. If the map fails, the line ends with the
/// last copy of the bar: give it as a temporary, or let it go before printing. Copies are the same bar. To be
/// used from one thread.
class terminal_bar {
 public:
  /// `label` is shown as it is, but for control characters. `file` is the descriptor to draw on, which stays
  /// the caller's.
  explicit terminal_bar(std::string label, int file = 2);

  void operator()(const progress& p) const;

 private:
  std::shared_ptr<detail::drawn_bar> bar_;
};

}  // namespace quarq
