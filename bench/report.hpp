// The figures, as a table or as JSON.
#pragma once

#include <string>
#include <vector>

namespace quarq::bench {

struct figure {
  std::string group;  ///< "redis", "sqlite", "floor", ...
  std::string what;   ///< "drain, results kept"
  double value = 0;
  std::string unit;  ///< "jobs/s", "us", "MB", "%"
  std::string note;  ///< e.g. the ratio to its floor
};

class report {
 public:
  explicit report(bool json) : json_(json) {}

  /// Prints the line at once, unless the output is JSON.
  void add(figure f);
  void heading(const std::string& text) const;
  void print_json() const;
  /// The value of an earlier figure, for ratios; 0 if there is none.
  double value(const std::string& group, const std::string& what) const;

 private:
  bool json_;
  std::vector<figure> figures_;
};

}  // namespace quarq::bench
