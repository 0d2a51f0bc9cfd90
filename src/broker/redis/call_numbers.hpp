// Numbers by which Redis knows a call again that is repeated because its answer was lost.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace quarq::broker::redis {

/// Each call takes a number, and says with it which earlier calls Redis need not remember any more.
class call_numbers {
 public:
  std::string next() { return std::to_string(next_++); }
  /// That call will not be repeated: its answer has come, or was given up.
  void answered(const std::string& number) { answered_ += number + ' '; }
  /// All numbers answered since the last time, each followed by a space.
  std::string take_answered() { return std::exchange(answered_, std::string()); }

 private:
  std::uint64_t next_ = 1;
  std::string answered_;
};

}  // namespace quarq::broker::redis
