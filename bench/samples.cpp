#include "samples.hpp"

#include <algorithm>

namespace quarq::bench {

double samples::median(const std::string& name) const {
  auto sorted = values_.at(name);
  std::sort(sorted.begin(), sorted.end());
  const auto middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

percentiles percentiles_of(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return {seconds.at(seconds.size() / 2) * 1e6, seconds.at(seconds.size() * 99 / 100) * 1e6};
}

void add_percentiles(samples& to, const std::string& name, std::vector<double> seconds) {
  const auto of = percentiles_of(std::move(seconds));
  to.add(name + ", p50", of.p50);
  to.add(name + ", p99", of.p99);
}

}  // namespace quarq::bench
