#include "metrics/openmetrics_text.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "codecs/utf8.hpp"

namespace quarq::metrics {

namespace {

constexpr std::string_view name_of(openmetrics_text::kind of) noexcept {
  switch (of) {
    case openmetrics_text::kind::counter:
      return "counter";
    case openmetrics_text::kind::gauge:
      return "gauge";
    case openmetrics_text::kind::histogram:
      return "histogram";
    case openmetrics_text::kind::info:
      break;
  }
  return "info";
}

// Of label values and help texts.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || c == '"') out += '\\';
      out += c;
    }
  }
}

struct shown_bound {
  std::size_t ranges = 0;  // that are below it
  std::string text;        // how its label ends
};

// From 1 ms on; above a second, not all.
bool is_shown(std::chrono::microseconds bound) {
  using namespace std::chrono_literals;
  if (bound < 1ms) return false;
  return bound <= 10s || bound == 50s || bound == 500s;
}

// The specification wants "1.0" in place of "1".
std::vector<shown_bound> shown_bounds() {
  std::vector<shown_bound> all;
  for (std::size_t i = 0; i < duration_histogram::bounds.size(); ++i) {
    const auto bound = duration_histogram::bounds[i];
    if (!is_shown(bound)) continue;
    std::array<char, 32> digits;
    const auto seconds = std::chrono::duration<double>(bound).count();
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), seconds).ptr;
    std::string number(digits.data(), end);
    if (number.find_first_of(".e") == number.npos) number += ".0";
    all.push_back({i + 1, ",le=\"" + number + "\"} "});
  }
  return all;
}

}  // namespace

const std::string_view content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";

labels& labels::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += ',';
  text_ += name;
  text_ += "=\"";
  if (codecs::is_utf8(value)) {
    append_escaped(text_, value);
  } else {
    append_escaped(text_, codecs::to_utf8(value));
  }
  text_ += '"';
  return *this;
}

void openmetrics_text::family(std::string_view name, kind of, std::string_view help, std::string_view unit) {
  name_ = name;
  const auto line = [&](std::string_view what, std::string_view text) {
    text_ += "# ";
    text_ += what;
    text_ += ' ';
    text_ += name_;
    text_ += ' ';
    append_escaped(text_, text);
    text_ += '\n';
  };
  line("TYPE", name_of(of));
  if (!unit.empty()) line("UNIT", unit);
  line("HELP", help);
}

void openmetrics_text::begin(std::string_view suffix, const labels& of) {
  text_ += name_;
  text_ += suffix;
  if (!of.text().empty()) {
    text_ += '{';
    text_ += of.text();
    text_ += '}';
  }
  text_ += ' ';
}

void openmetrics_text::append(std::uint64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text_.append(digits.data(), end);
  text_ += '\n';
}

void openmetrics_text::append(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text_.append(digits.data(), end);
  text_ += '\n';
}

void openmetrics_text::sample(const labels& of, double value) {
  begin("", of);
  append(value);
}

void openmetrics_text::sample(const labels& of, std::uint64_t value) {
  begin("", of);
  append(value);
}

void openmetrics_text::counter(const labels& of, std::uint64_t value) {
  begin("_total", of);
  append(value);
}

void openmetrics_text::counter(const labels& of, double value) {
  begin("_total", of);
  append(value);
}

void openmetrics_text::info(const labels& of) {
  begin("_info", of);
  text_ += "1\n";
}

void openmetrics_text::histogram(const labels& of, const duration_histogram& value) {
  static const auto bounds = shown_bounds();
  const std::string beginning = name_ + "_bucket{" + of.text();
  std::uint64_t sum = 0;
  std::size_t range = 0;
  for (const auto& bound : bounds) {
    while (range < bound.ranges) sum += value.count(range++);
    text_ += beginning;
    text_ += bound.text;
    append(sum);
  }
  while (range < duration_histogram::ranges) sum += value.count(range++);
  text_ += beginning;
  text_ += ",le=\"+Inf\"} ";
  append(sum);
  begin("_count", of);
  append(sum);
  begin("_sum", of);
  append(std::chrono::duration<double>(value.sum()).count());
}

}  // namespace quarq::metrics
