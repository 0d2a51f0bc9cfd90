// Tidies up a store after a renewal.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "broker/sqlite/operation.hpp"

namespace quarq::broker::sqlite {

/// Removes expired rows, and surplus dead jobs, until none is left.
class sweep final : public operation {
 public:
  /// `buried`: the queues with more dead jobs than at the last sweep.
  explicit sweep(std::set<std::string, std::less<>> buried);
  void run(transaction& in) override;
  next committed(subscriptions&) override;

 private:
  std::set<std::string, std::less<>> buried_;
  bool more_ = false;
  std::map<std::string, std::size_t> trimmed_;  ///< by queue, in this piece
  std::map<std::string, std::size_t> removed_;  ///< in all
};

}  // namespace quarq::broker::sqlite
