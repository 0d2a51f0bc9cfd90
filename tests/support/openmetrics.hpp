// Reads OpenMetrics text and is strict about it: whatever the specification does not allow is an error.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::test {

struct metric_sample {
  std::string name;  ///< with its suffix: "x_total"
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct metric_family {
  std::string name, type, unit, help;
  std::vector<metric_sample> samples;
};

struct metrics_page {
  std::vector<metric_family> families;

  /// The value of the sample with exactly these labels; nullopt: there is none.
  std::optional<double> value(std::string_view name,
                              const std::map<std::string, std::string>& labels = {}) const;
};

/// Throws std::runtime_error that names the line, for: a page without "# EOF" as its last line; a family twice, or in
/// several parts; samples before or without their TYPE, or with a suffix that the type does not have; names and labels
/// that are not well-formed; a label twice; a sample twice; a unit that its name does not end in; counters below 0; buckets
/// that are not in order, do not add up, or lack "+Inf" or a canonical number as `le`.
metrics_page read_openmetrics(std::string_view text);

}  // namespace quarq::test
