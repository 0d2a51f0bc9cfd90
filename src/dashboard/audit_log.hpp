// What operators have changed: a line of the log for each change, and of a file; the latest ones for the page.
#pragma once

#include <cstddef>
#include <deque>
#include <fstream>
#include <string>

#include "dashboard/views.hpp"

namespace quarq::dashboard {

class audit_log {
 public:
  static constexpr std::size_t kept = 200;

  /// `file`: "" for none. Throws usage_error if it can't be appended to.
  explicit audit_log(const std::string& file);

  void add(audit_view what);
  /// The latest ones, the newest first.
  const std::deque<audit_view>& latest() const noexcept { return latest_; }

 private:
  std::string name_;
  std::ofstream file_;
  std::deque<audit_view> latest_;
};

}  // namespace quarq::dashboard
