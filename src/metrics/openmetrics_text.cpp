#include "metrics/openmetrics_text.hpp"

#include <array>
#include <charconv>

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

// The specification wants "1.0" in place of "1".
template <std::size_t N>
std::array<std::string, N> bound_texts(const std::array<std::int64_t, N>& bounds) {
  std::array<std::string, N> texts;
  for (std::size_t i = 0; i < N; ++i) {
    std::array<char, 32> digits;
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<double>(bounds[i]) / 1e6).ptr;
    std::string number(digits.data(), end);
    if (number.find_first_of(".e") == number.npos) number += ".0";
    texts[i] = ",le=\"" + number + "\"} ";
  }
  return texts;
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

void openmetrics_text::histogram(const labels& of, const workers::prometheus_histogram& value) {
  static const auto bounds = bound_texts(workers::prometheus_histogram::bounds);
  std::string beginning = name_ + "_bucket{" + of.text();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    sum += value.buckets()[i];
    text_ += beginning;
    text_ += bounds[i];
    append(sum);
  }
  sum += value.buckets().back();
  text_ += beginning;
  text_ += ",le=\"+Inf\"} ";
  append(sum);
  begin("_count", of);
  append(sum);
  begin("_sum", of);
  append(static_cast<double>(value.sum().count()) / 1e6);
}

}  // namespace quarq::metrics
