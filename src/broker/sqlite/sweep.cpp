#include "broker/sqlite/sweep.hpp"

#include <utility>

#include "base/log.hpp"
#include "broker/limits.hpp"

namespace quarq::broker::sqlite {

sweep::sweep(std::set<std::string, std::less<>> buried)
    : operation(kind::writes, rows_of_piece), buried_(std::move(buried)) {}

void sweep::run(transaction& in) {
  more_ = in.tables.sweep(in.now);
  trimmed_.clear();
  for (const auto& queue : buried_) trimmed_[queue] = in.tables.trim_dead(queue);
}

operation::next sweep::committed(subscriptions&) {
  for (const auto& [queue, count] : trimmed_) {
    removed_[queue] += count;
    if (count > 0) continue;
    if (removed_[queue] > 0) {
      base::log().warn("queue {}: there were more than {} dead jobs, so the {} oldest were removed", queue,
                       max_dead, removed_[queue]);
    }
    buried_.erase(queue);
  }
  return more_ || !buried_.empty() ? next::run_again : next::answer;
}

}  // namespace quarq::broker::sqlite
