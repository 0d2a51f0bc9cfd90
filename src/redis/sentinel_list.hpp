// Which sentinel to ask next where the master is, and what its answer means. No I/O.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "redis/options.hpp"
#include "redis/resp.hpp"

namespace quarq::redis {

/// Whoever answers stays first and is asked first the next time; whoever does not, or names a server that is
/// no master, goes to the end of the row.
class sentinel_list {
 public:
  explicit sentinel_list(const sentinel_options& options);

  /// Begins a search, in which each is asked once at most.
  void begin();
  /// Whom to ask now; null: all were asked in vain.
  const endpoint* next() const;
  /// What next() has answered to SENTINEL get-master-addr-by-name. True: the search is over.
  bool take(const reply& answer);
  /// next() could not be asked. `for_good`: trying again would not change that.
  void failed(const std::string& why, bool for_good);

  /// Whether the last search found somebody: then master() is what asked() has answered.
  bool found() const noexcept { return found_; }
  const endpoint& master() const noexcept { return master_; }
  const endpoint& asked() const noexcept { return row_.front(); }
  /// What was found is no master, or not there: the next search begins with another sentinel.
  void misled();

  /// What came of each that was asked in vain in this search.
  const std::string& errors() const noexcept { return errors_; }
  /// Asking them again would not change that.
  bool all_for_good() const noexcept { return all_for_good_; }

 private:
  void in_vain(const std::string& what, bool for_good);
  void to_the_end();

  std::deque<endpoint> row_;
  std::string name_;
  std::size_t left_ = 0;  // still to be asked in this search
  bool found_ = false;
  bool all_for_good_ = true;
  endpoint master_;
  std::string errors_;
};

}  // namespace quarq::redis
