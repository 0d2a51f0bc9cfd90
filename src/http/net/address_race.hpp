// Which of a host's addresses to try when (RFC 8305, "Happy Eyeballs"), without I/O and without a clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace quarq::http {

/// Each attempt has a head start on the next one; a failure starts the next one at once.
class address_race {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds head_start{250};

  explicit address_race(std::size_t addresses) : addresses_(addresses) {}

  /// The index of an address to try now, and whose attempt counts as started; call it until there is none.
  std::optional<std::size_t> next_to_start(time_point now);
  /// When next_to_start() may have another one without a failure; the end of time if there is none left.
  time_point next_start() const;
  /// An attempt has failed.
  void failed(std::size_t index);
  /// Whether all have failed.
  bool lost() const noexcept { return failed_ == addresses_; }

 private:
  std::size_t addresses_;
  std::size_t started_ = 0;
  std::size_t failed_ = 0;
  time_point last_start_{};
  bool last_failed_ = true;
};

}  // namespace quarq::http
