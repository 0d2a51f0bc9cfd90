#include "report.hpp"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "codecs/json_text.hpp"

namespace quarq::bench {
namespace {

std::string with_separators(double value) {
  if (value < 1000) return fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0);
  std::string digits = fmt::format("{:.0f}", value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ' ');
  }
  return digits;
}

}  // namespace

void report::add(figure f) {
  if (!json_) {
    fmt::print("  {:<44} {:>12} {:<9} {}\n", f.what, with_separators(f.value), f.unit, f.note);
    std::fflush(stdout);
  }
  figures_.push_back(std::move(f));
}

void report::heading(const std::string& text) const {
  if (!json_) fmt::print("\n{}\n", text);
  std::fflush(stdout);
}

void report::print_json() const {
  if (!json_) return;
  fmt::print("[\n");
  for (std::size_t i = 0; i < figures_.size(); ++i) {
    const auto& f = figures_[i];
    fmt::print("  {{\"group\": {}, \"what\": {}, \"value\": {:.3f}, \"unit\": {}, \"note\": {}}}{}\n",
               codecs::json_string(f.group), codecs::json_string(f.what), f.value,
               codecs::json_string(f.unit), codecs::json_string(f.note), i + 1 < figures_.size() ? "," : "");
  }
  fmt::print("]\n");
}

double report::value(const std::string& group, const std::string& what) const {
  for (const auto& f : figures_) {
    if (f.group == group && f.what == what) return f.value;
  }
  return 0;
}

}  // namespace quarq::bench
