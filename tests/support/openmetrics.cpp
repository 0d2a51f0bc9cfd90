#include "support/openmetrics.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "codecs/utf8.hpp"

namespace quarq::test {

namespace {

bool is_name(std::string_view text) {
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!good) return false;
  }
  return true;
}

const std::map<std::string, std::set<std::string>, std::less<>> suffixes = {
    {"counter", {"_total"}},
    {"gauge", {""}},
    {"histogram", {"_bucket", "_count", "_sum"}},
    {"info", {"_info"}}};

class openmetrics_reader {
 public:
  explicit openmetrics_reader(std::string_view text) : rest_(text) {}

  metrics_page read() {
    if (!codecs::is_utf8(rest_)) fail("it is not UTF-8");
    bool has_ended = false;
    while (!rest_.empty()) {
      const auto end = rest_.find('\n');
      if (end == rest_.npos) fail("the last line has no end");
      const auto line = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      ++number_;
      if (has_ended) fail("a line behind # EOF");
      if (line == "# EOF") {
        has_ended = true;
      } else if (line.starts_with("# ")) {
        metadata(line.substr(2));
      } else {
        sample(line);
      }
    }
    if (!has_ended) fail("# EOF is missing");
    for (const auto& family : page_.families) check(family);
    return std::move(page_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(fmt::format("OpenMetrics, line {}: {}", number_, what));
  }

  void metadata(std::string_view line) {
    const auto kind = take_word(line);
    const auto name = take_word(line);
    if (kind != "TYPE" && kind != "HELP" && kind != "UNIT") fail("an unknown comment");
    if (!is_name(name)) fail("a bad name");
    if (page_.families.empty() || page_.families.back().name != name) begin(name);
    auto& family = page_.families.back();
    if (!family.samples.empty()) fail("metadata behind samples");
    auto& into = kind == "TYPE" ? family.type : kind == "UNIT" ? family.unit : family.help;
    if (!into.empty()) fail("metadata twice");
    into = line;
    if (kind == "TYPE" && !suffixes.contains(into)) fail("an unknown type");
    if (kind == "UNIT" && !name.ends_with("_" + into)) fail("the name does not end in its unit");
  }

  void begin(std::string_view name) {
    if (!names_.emplace(name).second) fail("a family in several parts");
    page_.families.emplace_back().name = name;
  }

  std::string_view take_word(std::string_view& line) const {
    const auto end = line.find(' ');
    if (end == line.npos) fail("a word is missing");
    const auto word = line.substr(0, end);
    line.remove_prefix(end + 1);
    return word;
  }

  void sample(std::string_view line) {
    metric_sample one;
    const auto end = line.find_first_of("{ ");
    if (end == line.npos) fail("a value is missing");
    one.name = line.substr(0, end);
    line.remove_prefix(end);
    if (line.front() == '{') labels(line, one);
    if (line.empty() || line.front() != ' ') fail("no space before the value");
    line.remove_prefix(1);
    one.value = number(line);
    if (page_.families.empty()) fail("a sample without a family");
    auto& family = page_.families.back();
    if (!one.name.starts_with(family.name) || !is_name(one.name)) fail("a sample of another family");
    const auto type = suffixes.find(family.type);
    if (type == suffixes.end() || !type->second.contains(one.name.substr(family.name.size())))
      fail("a suffix that the type does not have");
    family.samples.push_back(std::move(one));
  }

  // `{name="value",...}`, which is taken off the line.
  void labels(std::string_view& line, metric_sample& of) const {
    line.remove_prefix(1);
    while (!line.starts_with('}')) {
      const auto equals = line.find("=\"");
      if (equals == line.npos) fail("a label without a value");
      const std::string name(line.substr(0, equals));
      if (!is_name(name)) fail("a bad label");
      line.remove_prefix(equals + 2);
      std::string value;
      while (!line.starts_with('"')) {
        if (line.empty()) fail("a label's value does not end");
        if (line.front() == '\\') {
          line.remove_prefix(1);
          if (line.empty() || std::string_view("\\\"n").find(line.front()) == std::string_view::npos)
            fail("a bad escape");
          value += line.front() == 'n' ? '\n' : line.front();
        } else {
          value += line.front();
        }
        line.remove_prefix(1);
      }
      line.remove_prefix(1);
      if (!of.labels.emplace(name, value).second) fail("a label twice");
      if (line.starts_with(',')) line.remove_prefix(1);
    }
    line.remove_prefix(1);
  }

  double number(std::string_view text) const {
    if (text == "+Inf") return std::numeric_limits<double>::infinity();
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) fail("not a number: " + std::string(text));
    return value;
  }

  void check(const metric_family& family) const {
    if (family.type.empty() || family.help.empty()) fail(family.name + ": no type or help");
    std::set<std::pair<std::string, std::map<std::string, std::string>>> seen;
    for (const auto& one : family.samples) {
      if (!seen.emplace(one.name, one.labels).second) fail(one.name + ": a sample twice");
      if (family.type == "counter" && one.value < 0) fail(one.name + ": a counter below 0");
    }
    if (family.type == "histogram") check_buckets(family);
  }

  struct series {
    double last_bound = -1, last_count = 0, all = -1, count = -1;
    bool has_sum = false;
  };

  void check_buckets(const metric_family& family) const {
    std::map<std::map<std::string, std::string>, series> every;
    for (const auto& one : family.samples) {
      auto labels = one.labels;
      const auto bound = labels.extract("le");
      auto& of = every[labels];
      if (one.name.ends_with("_count")) of.count = one.value;
      if (one.name.ends_with("_sum")) of.has_sum = true;
      if (!one.name.ends_with("_bucket")) continue;
      if (bound.empty()) fail(family.name + ": a bucket without le");
      const auto& text = bound.mapped();
      if (text != "+Inf" && text.find_first_of(".e") == text.npos) fail("le is not canonical: " + text);
      const auto limit = number(text);
      if (limit <= of.last_bound || one.value < of.last_count) fail(family.name + ": buckets out of order");
      of.last_bound = limit;
      of.last_count = one.value;
      if (std::isinf(limit)) of.all = one.value;
    }
    for (const auto& [labels, of] : every) {
      if (of.all < 0 || of.all != of.count || !of.has_sum) fail(family.name + ": buckets do not add up");
    }
  }

  std::string_view rest_;
  std::size_t number_ = 0;
  std::set<std::string, std::less<>> names_;
  metrics_page page_;
};

}  // namespace

metrics_page read_openmetrics(std::string_view text) {
  return openmetrics_reader(text).read();
}

std::optional<double> metrics_page::value(std::string_view name,
                                          const std::map<std::string, std::string>& labels) const {
  for (const auto& family : families) {
    for (const auto& one : family.samples) {
      if (one.name == name && one.labels == labels) return one.value;
    }
  }
  return std::nullopt;
}

}  // namespace quarq::test
