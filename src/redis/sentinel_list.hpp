// Which sentinel to ask next where the master is, and what its answer means. No I/O.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "redis/options.hpp"
#include "redis/resp.hpp"

namespace quarq::redis {

/// A sentinel that answers stays first and is asked first in the next search. One that does not, or names a
/// server that is no master, moves to the end.
class sentinel_list {
 public:
  explicit sentinel_list(const sentinel_options& options);

  /// Begins a search, in which each sentinel is asked at most once.
  void begin();
  /// The sentinel to ask now; null: the search is over.
  const endpoint* next() const;
  /// The answer of next() to SENTINEL get-master-addr-by-name. Returns whether it names a master.
  bool take(const reply& answer);
  /// next() could not be asked. `is_permanent`: trying again would not change that.
  void failed(const std::string& why, bool is_permanent);

  /// Whether the last search was successful: then asked() has named master().
  bool found() const noexcept { return found_; }
  const endpoint& master() const noexcept { return master_; }
  const endpoint& asked() const noexcept { return sentinels_.front(); }
  /// master() is no master, or does not answer: the next search begins with another sentinel.
  void distrust();

  /// What became of each sentinel that this search has asked without success.
  const std::string& errors() const noexcept { return errors_; }
  /// Asking them again would not change that.
  bool all_permanent() const noexcept { return all_permanent_; }

 private:
  void give_up_next(const std::string& what, bool is_permanent);
  void move_first_to_end();

  std::deque<endpoint> sentinels_;
  std::string name_;
  std::size_t left_ = 0;  // still to be asked in this search
  bool found_ = false;
  bool all_permanent_ = true;
  endpoint master_;
  std::string errors_;
};

}  // namespace quarq::redis
