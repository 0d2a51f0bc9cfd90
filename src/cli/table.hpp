// Aligned columns on a terminal or in a pipe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace quarq::cli {

struct column {
  enum class kind {
    text,
    number,    ///< aligned to the right
    flexible,  ///< long text that may be cut; left out if all its cells are empty
  };
  std::string title;
  kind as = kind::text;
};

class table {
 public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// REQUIRES: as many cells as columns. They may be any bytes.
  void add(const std::vector<std::string>& cells);
  bool empty() const noexcept { return rows_.empty(); }

  /// Lines of at most `max` characters, if narrowing the flexible columns is enough; 0: no limit, but
  /// flexible columns have one.
  std::string text(std::size_t max) const;

 private:
  std::vector<std::size_t> widths(std::size_t max) const;

  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace quarq::cli
