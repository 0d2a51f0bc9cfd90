// What is new among ended jobs that stand in no list, told from one pass after the other through all of them. No I/O,
// no clock.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/broker.hpp"

namespace quarq::clients {

/// An end is new if the two passes before had not met it. (Two: a store that was replaced by its copy may skip some in
/// the pass that it interrupts.) Keeps some tens of bytes for each end that there is.
class ended_scan {
 public:
  /// How many new ends are kept until the pass is over, and how many bytes of them; of more, the first ones come before.
  static constexpr std::size_t max_new = 10'000, max_new_bytes = std::size_t{32} << 20;

  /// Jobs that a pass has met; the same ones may be met several times. Of those that the first pass meets, the ones are
  /// new that ended at `new_from` or later.
  void meet(std::vector<broker::job_details> jobs, broker::time_point new_from);
  /// The end of this job has come to light otherwise, and is not new here.
  void was_reported(const broker::job_details& job);
  /// The pass is over, and the next one begins.
  void end_pass();

  /// New ends: those of the last pass, or of this one if they are very many.
  std::vector<broker::job_details> take();

 private:
  using hashes = std::vector<std::size_t>;  // of key_of_end, sorted but for those of this pass

  bool is_first_pass_ = true, may_take_ = false;
  hashes before_last_, last_, this_pass_;
  std::unordered_set<std::size_t> reported_;        // in this pass, or kept in new_
  std::map<std::string, broker::job_details> new_;  // by key_of_end
  std::size_t new_bytes_ = 0;                       // of all that was put there since it was empty
};

}  // namespace quarq::clients
