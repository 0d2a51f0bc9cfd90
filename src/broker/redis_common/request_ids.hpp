// Numbers by which Redis knows a call again that is repeated because its answer was lost.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace quarq::broker::redis_common {

/// Each call takes a number, and says with it which earlier calls Redis need not remember any more.
class request_ids {
 public:
  std::string next() { return std::to_string(next_++); }
  /// That call will not be repeated: its answer has come, or was given up.
  void answered(const std::string& number) {
    answered_ += number + ' ';
    ++count_;
  }
  /// Numbers answered since the last time, each followed by a space; or nothing while they are few: to forget
  /// them costs Redis about as much as to remember one.
  std::string take_answered() {
    if (count_ < worth_telling) return {};
    count_ = 0;
    return std::exchange(answered_, std::string());
  }

 private:
  static constexpr int worth_telling = 16;

  std::uint64_t next_ = 1;
  int count_ = 0;
  std::string answered_;
};

}  // namespace quarq::broker::redis_common
