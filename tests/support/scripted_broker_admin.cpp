// What the scripted broker answers operators.
#include <utility>

#include "support/scripted_broker.hpp"

namespace quarq::test {

namespace b = quarq::broker;

awaitable<std::optional<b::job_details>> scripted_broker::inspect(std::string queue, std::string id) {
  call c{operation::inspect, queue, 0, std::vector<std::string>(1, id)};
  co_await called(std::move(c));
  const auto* job = find(queue, id);
  if (job == nullptr) co_return std::nullopt;
  // One that has become due stays deferred until somebody claims, as in most stores.
  auto copy = *job;
  co_return copy;
}

awaitable<std::vector<std::string>> scripted_broker::notes(std::string queue, std::vector<std::string> ids) {
  call c{operation::notes, queue, 0, ids};
  co_await called(std::move(c));
  std::vector<std::string> all;
  for (const auto& id : ids) {
    const auto* job = find(queue, id);
    all.push_back(job != nullptr ? job->note : std::string());
  }
  co_return all;
}

// By their ids.
awaitable<b::job_page> scripted_broker::page(std::string queue, job_state state, std::size_t max,
                                             std::string from) {
  b::job_page some;
  const auto& jobs = queues_[queue];
  for (auto at = jobs.upper_bound(from); at != jobs.end() && some.jobs.size() < max; ++at) {
    if (at->second.facts.state == state) some.jobs.push_back(at->second.facts);
  }
  if (some.jobs.size() == max) some.next = some.jobs.back().id;
  co_return some;
}

awaitable<bool> scripted_broker::set_paused(std::string queue, bool paused) {
  const bool changed = paused ? paused_.insert(queue).second : paused_.erase(queue) > 0;
  if (changed && !paused) tell_ready(queue);
  co_return changed;
}

awaitable<bool> scripted_broker::is_paused(std::string queue) {
  co_return paused_.contains(queue);
}

awaitable<bool> scripted_broker::set_mark(std::string queue, std::string name, std::string text) {
  auto& known = marks_[queue][name];
  const bool changed = known != text;
  known = std::move(text);
  if (known.empty()) marks_[queue].erase(name);
  co_return changed;
}

awaitable<std::map<std::string, std::string>> scripted_broker::marks(std::string queue) {
  co_return marks_[queue];
}

awaitable<std::vector<b::queue_summary>> scripted_broker::queues() {
  co_return std::vector<b::queue_summary>();
}

awaitable<std::vector<b::worker_summary>> scripted_broker::workers(std::string queue) {
  std::vector<b::worker_summary> found;
  for (const auto& [token, lease] : leases_) {
    if (lease.serves(queue))
      found.push_back({token, lease.worker_info, lease.announcement, 0, milliseconds(0)});
  }
  co_return found;
}

awaitable<std::size_t> scripted_broker::requeue(std::string queue, std::vector<std::string> ids) {
  call c{operation::requeue, queue, 0, ids};
  co_await called(std::move(c));
  std::size_t count = 0;
  for (const auto& id : ids) {
    const auto found = queues_[queue].find(id);
    if (found == queues_[queue].end() || found->second.facts.state != job_state::dead) continue;
    found->second.facts.state = job_state::queued;
    found->second.facts.attempts = 0;
    ++count;
  }
  if (count > 0) tell_ready(queue);
  co_return count;
}

awaitable<std::size_t> scripted_broker::purge(std::string queue, job_state state) {
  const auto count =
      std::erase_if(queues_[queue], [&](const auto& entry) { return entry.second.facts.state == state; });
  co_return count;
}

awaitable<std::vector<std::string>> scripted_broker::warnings() {
  co_return std::vector<std::string>();
}

awaitable<void> scripted_broker::add_stats(std::string queue, std::vector<b::task_counts> what) {
  call c{operation::add_stats, queue};
  co_await called(std::move(c));
  for (const auto& added : what) stats_[{queue, added.task}].add(added.counts);
}

task_stats scripted_broker::added_stats(const std::string& queue, const std::string& task) const {
  const auto found = stats_.find({queue, task});
  return found == stats_.end() ? task_stats() : found->second;
}

}  // namespace quarq::test
