#include "cli/table.hpp"

#include <algorithm>

#include "cli/text.hpp"

namespace quarq::cli {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t max_flexible = 60;
constexpr std::size_t min_flexible = 12;

void append_cell(std::string& line, const std::string& cell, std::size_t columns, column::kind as) {
  const std::string shown = cut(cell, columns);
  const std::string space(columns - width(shown), ' ');
  if (!line.empty()) line.append(gap, ' ');
  line += as == column::kind::number ? space + shown : shown + space;
}

}  // namespace

void table::add(const std::vector<std::string>& cells) {
  auto& row = rows_.emplace_back();
  for (const auto& cell : cells) row.push_back(terminal_safe(cell));
}

// 0: the column is left out.
std::vector<std::size_t> table::widths(std::size_t max) const {
  std::vector<std::size_t> all;
  std::size_t total = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t needed = 0;
    for (const auto& row : rows_) needed = std::max(needed, width(row[i]));
    const bool is_flexible = columns_[i].as == column::kind::flexible;
    if (!is_flexible || needed > 0) needed = std::max(needed, width(columns_[i].title));
    if (is_flexible && max == 0) needed = std::min(needed, max_flexible);
    all.push_back(needed);
    total += needed == 0 ? 0 : needed + gap;
  }
  if (max == 0) return all;
  // Narrows the widest flexible column, one character at a time, until the table fits.
  while (total - gap > max) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].as != column::kind::flexible || all[i] <= min_flexible) continue;
      if (widest == nullptr || all[i] > *widest) widest = &all[i];
    }
    if (widest == nullptr) break;
    --*widest;
    --total;
  }
  return all;
}

std::string table::text(std::size_t max) const {
  const auto columns = widths(max);
  std::string out;
  const auto append_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] > 0) append_cell(line, cell_of(i), columns[i], columns_[i].as);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  append_line([&](std::size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) append_line([&](std::size_t i) { return row[i]; });
  return out;
}

}  // namespace quarq::cli
