#include "clients/ended_scan.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "clients/job_description.hpp"
#include "clients/job_news.hpp"

namespace quarq::clients {

void ended_scan::meet(std::vector<broker::job_details> jobs, broker::time_point new_from) {
  const auto is_in = [](const hashes& some, std::size_t one) {
    return std::binary_search(some.begin(), some.end(), one);
  };
  for (auto& job : jobs) {
    const auto at = finished_at(job);
    auto key = key_of_end(job, at);
    const auto hash = std::hash<std::string>()(key);
    this_pass_.push_back(hash);
    if (is_in(last_, hash) || is_in(before_last_, hash)) continue;
    if (is_first_pass_ && at < new_from) continue;
    if (!reported_.insert(hash).second) continue;
    new_bytes_ += job.record.size() + job.outcome.size();
    new_.emplace(std::move(key), std::move(job));
  }
  if (new_.size() >= max_new || new_bytes_ >= max_new_bytes) may_take_ = true;
}

void ended_scan::was_reported(const broker::job_details& job) {
  const auto key = key_of_end(job);
  reported_.insert(std::hash<std::string>()(key));
  new_.erase(key);
}

void ended_scan::end_pass() {
  this_pass_.insert(this_pass_.end(), reported_.begin(), reported_.end());
  reported_.clear();
  std::sort(this_pass_.begin(), this_pass_.end());
  this_pass_.erase(std::unique(this_pass_.begin(), this_pass_.end()), this_pass_.end());
  before_last_ = std::exchange(last_, std::exchange(this_pass_, {}));
  is_first_pass_ = false;
  may_take_ = true;
}

std::vector<broker::job_details> ended_scan::take() {
  std::vector<broker::job_details> all;
  if (!std::exchange(may_take_, false)) return all;
  for (auto& [key, job] : std::exchange(new_, {})) all.push_back(std::move(job));
  new_bytes_ = 0;
  return all;
}

}  // namespace quarq::clients
