// The errors of one value, as they are found.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <quarq/validation_error.hpp>

#include "validation/kinds.hpp"

namespace quarq::validation {

/// Knows where the value is that is being looked at.
class path_source {
 public:
  virtual std::vector<path_step> path() const = 0;

 protected:
  ~path_source() = default;
};

class error_list {
 public:
  explicit error_list(const path_source& where) : where_(where) {}

  template <class... Args>
  void add(error_kind kind, const Args&... args) {
    if (is_full()) return;
    const kind_row& row = row_of(kind);
    put(row.name, fmt::format(fmt::runtime(row.message), args...));
  }

  std::size_t size() const noexcept { return errors_.size(); }
  bool is_full() const noexcept { return errors_.size() >= validation_error::max_errors; }
  std::vector<model_error> take() { return std::move(errors_); }

 private:
  void put(std::string_view kind, std::string message) {
    errors_.push_back({std::string(kind), where_.path(), std::move(message), {}});
  }

  const path_source& where_;
  std::vector<model_error> errors_;
};

/// The ending of a plural.
inline std::string_view plural(std::size_t count) noexcept {
  return count == 1 ? "" : "s";
}

}  // namespace quarq::validation
