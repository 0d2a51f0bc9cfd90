// Figures measured several times in turn, so that a disturbance of the machine affects all alike.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace quarq::bench {

class samples {
 public:
  void add(const std::string& name, double value) { values_[name].push_back(value); }
  bool has(const std::string& name) const { return values_.contains(name); }
  /// Throws std::out_of_range if there is none.
  double median(const std::string& name) const;

 private:
  std::map<std::string, std::vector<double>> values_;
};

struct percentiles {
  double p50 = 0, p99 = 0;
};

/// `seconds` becomes microseconds.
percentiles percentiles_of(std::vector<double> seconds);
/// Adds "NAME, p50" and "NAME, p99", in microseconds.
void add_percentiles(samples& to, const std::string& name, std::vector<double> seconds);

}  // namespace quarq::bench
