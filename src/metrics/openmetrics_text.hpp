// The text that Prometheus reads: OpenMetrics 1.0 (https://github.com/prometheus/OpenMetrics, specification/OpenMetrics.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/queue_stats.hpp>

namespace quarq::metrics {

/// "application/openmetrics-text; version=1.0.0; charset=utf-8".
extern const std::string_view content_type;

/// Names and values of labels, as a sample has them between its braces: `queue="mail",task="send"`. What is no UTF-8
/// in a value is replaced.
class labels {
 public:
  struct pair {
    std::string_view name, value;
  };
  labels() = default;
  labels(std::initializer_list<pair> all) {
    for (const auto& [name, value] : all) add(name, value);
  }
  labels& add(std::string_view name, std::string_view value);
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// Writes families, each with its samples behind it.
class openmetrics_text {
 public:
  enum class kind { counter, gauge, histogram, info };

  /// `name`: without "_total" and the like. `unit`: its last part, or "".
  void family(std::string_view name, kind of, std::string_view help, std::string_view unit = {});

  /// Of the last family: a gauge.
  void sample(const labels& of, double value);
  void sample(const labels& of, std::uint64_t value);
  /// "_total".
  void counter(const labels& of, std::uint64_t value);
  void counter(const labels& of, double value);
  /// "_info".
  void info(const labels& of);
  /// "_bucket", "_count" and "_sum", in seconds. Of the histogram's bounds only some are shown, for fewer samples.
  void histogram(const labels& of, const duration_histogram& value);

  /// What has been written; none of it is kept.
  std::string take() { return std::exchange(text_, {}); }
  std::size_t size() const noexcept { return text_.size(); }
  /// After the last family.
  void end() { text_ += "# EOF\n"; }

 private:
  void begin(std::string_view suffix, const labels& of);
  void append(std::uint64_t value);
  void append(double value);

  std::string name_;
  std::string text_;
};

}  // namespace quarq::metrics
