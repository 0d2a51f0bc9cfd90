#include "broker/sqlite/subscriptions.hpp"

#include <algorithm>

namespace quarq::broker::sqlite {

namespace {

/// Queues and ids may hold any bytes, so the first one's length tells them apart.
std::string key_of(const std::string& queue, const std::string& id) {
  return std::to_string(queue.size()) + ':' + queue + id;
}

}  // namespace

void subscriptions::open(const worker_lease& held, std::shared_ptr<async::loop_handle> loop,
                         std::weak_ptr<worker_events> events) {
  for (const auto& queue : held.queues) {
    auto& one = leases_[{queue, held.token}];
    one.held = {queue, held.token};
    one.loop = loop;
    one.events = events;
  }
}

void subscriptions::close(const worker_lease& held) {
  for (const auto& queue : held.queues) {
    const auto found = leases_.find({queue, held.token});
    if (found == leases_.end()) continue;
    set_owed(found->second, false);
    notified_cancels_.erase(found->first);
    leases_.erase(found);
  }
}

void subscriptions::set_owed(subscribed_lease& one, bool owed) {
  if (std::exchange(one.owed, owed) == owed) return;
  auto& count = owed_[one.held.queue];
  if (owed) {
    ++count;
  } else if (--count == 0) {
    owed_.erase(one.held.queue);
  }
}

void subscriptions::owe_event(const lease& held, std::optional<time_point> next_due) {
  const auto found = leases_.find({held.queue, held.token});
  if (found == leases_.end()) return;
  set_owed(found->second, true);
  found->second.promised_due = next_due;
}

void subscriptions::owe_nothing(const lease& held) {
  const auto found = leases_.find({held.queue, held.token});
  if (found != leases_.end()) set_owed(found->second, false);
}

void subscriptions::wait(std::uint64_t number, const std::string& queue, const std::string& id,
                         std::int64_t last_published, end_callback notify) {
  if (waits_.empty()) last_published_ = last_published;
  auto& job = waits_[key_of(queue, id)];
  job.queue = queue;
  job.id = id;
  job.all.push_back({number, std::move(notify)});
}

void subscriptions::forget_wait(std::uint64_t number, const std::string& queue, const std::string& id) {
  const auto found = waits_.find(key_of(queue, id));
  if (found == waits_.end()) return;
  std::erase_if(found->second.all, [&](const one_wait& one) { return one.number == number; });
  if (found->second.all.empty()) waits_.erase(found);
}

void subscriptions::fail_waits(const failure& why) {
  for (const auto& [key, job] : std::exchange(waits_, {})) {
    for (const auto& one : job.all) one.notify(std::nullopt, &why);
  }
}

void subscriptions::notify(const changes& ours) {
  for (const auto& [queue, work] : ours.work) wake(queue, work.ready, work.next_due);
  for (const auto& cancel : ours.cancels) {
    const auto found = leases_.find({cancel.queue, cancel.token});
    if (found != leases_.end()) notify_cancel(found->second, cancel.id);
  }
  for (const auto& over : ours.ended) notify_end_of(over);
}

void subscriptions::poll(job_tables& tables, time_point now, milliseconds uptime) {
  notify_cancels(tables);
  wake_for_others(tables, now);
  const bool slept = uptime - last_poll_ > publication_time / 2;
  last_poll_ = uptime;
  if (waits_.empty()) return;
  for (const auto& over : tables.published_since(last_published_)) notify_end_of(over);
  if (slept) ask_for_all_waits(tables, now);
}

// Of both lists, of queues that have jobs and of queues that are owed an event, each step leads to where the other one goes on.
void subscriptions::wake_for_others(job_tables& tables, time_point now) {
  std::string from;
  for (auto next = owed_.begin(); next != owed_.end(); next = owed_.lower_bound(from)) {
    const auto waiting = tables.next_waiting(next->first);
    if (!waiting) return;
    from = *waiting;
    const auto found = owed_.find(from);
    if (found == owed_.end()) continue;
    const auto owed = found->second;
    from += '\0';  // the next name in the order of bytes
    wake(*waiting, tables.count_ready(*waiting, owed, now), tables.next_due(*waiting));
  }
}

void subscriptions::notify_cancels(job_tables& tables) {
  std::map<lease_key, std::set<std::string>> wanted;
  if (tables.has_cancel_requests()) {
    std::set<std::string> tokens;
    for (const auto& [key, one] : leases_) tokens.insert(one.held.token);
    for (const auto& token : tokens) {
      for (auto& request : tables.cancel_requests(token))
        wanted[{std::move(request.queue), token}].insert(std::move(request.id));
    }
  }
  const auto notified = std::exchange(notified_cancels_, {});
  for (auto& [key, ids] : wanted) {
    const auto held = leases_.find(key);
    if (held == leases_.end()) continue;
    const auto before = notified.find(key);
    for (const auto& id : ids) {
      if (before == notified.end() || !before->second.contains(id)) notify_cancel(held->second, id);
    }
    notified_cancels_.insert_or_assign(key, std::move(ids));
  }
}

/// For a process that was stopped for so long that its notices have been swept away.
void subscriptions::ask_for_all_waits(job_tables& tables, time_point now) {
  std::vector<changes::over> ends;
  for (const auto& [key, job] : waits_) {
    auto details = tables.inspect(job.queue, job.id, now);
    if (details && !is_final(details->state)) continue;
    auto& over = ends.emplace_back(changes::over{job.queue, job.id, std::nullopt});
    if (details) over.outcome = ended{details->state, std::move(details->outcome)};
  }
  for (const auto& over : ends) notify_end_of(over);
}

// Each new job wakes one lease that was owed an event. Where its worker then dies before it claims, the
// others are told by their next renewal.
void subscriptions::wake(std::string_view queue, std::size_t ready, std::optional<time_point> next_due) {
  for (auto at = leases_.lower_bound({std::string(queue), ""}); at != leases_.end(); ++at) {
    auto& one = at->second;
    if (one.held.queue != queue) return;
    if (!one.owed) continue;
    if (ready > 0) {
      --ready;
    } else if (next_due && (!one.promised_due || *next_due < *one.promised_due)) {
      next_due.reset();
    } else {
      continue;
    }
    notify_work(one);
    if (ready == 0 && !next_due) return;
  }
}

void subscriptions::wake_all() {
  for (auto& [key, one] : leases_) {
    if (one.owed) notify_work(one);
  }
}

void subscriptions::notify_work(subscribed_lease& to) {
  set_owed(to, false);
  to.loop->post([events = to.events, queue = to.held.queue] {
    if (const auto one = events.lock()) one->work_ready(queue);
  });
}

void subscriptions::notify_cancel(subscribed_lease& to, const std::string& id) {
  notified_cancels_[{to.held.queue, to.held.token}].insert(id);
  to.loop->post([events = to.events, queue = to.held.queue, id] {
    if (const auto one = events.lock()) one->cancel_requested(queue, id);
  });
}

void subscriptions::notify_end_of(const changes::over& over) {
  const auto found = waits_.find(key_of(over.queue, over.id));
  if (found == waits_.end()) return;
  const auto all = std::move(found->second.all);
  waits_.erase(found);
  for (const auto& one : all) one.notify(over.outcome, nullptr);
}

}  // namespace quarq::broker::sqlite
