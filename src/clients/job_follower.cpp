#include "clients/job_follower.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "clients/job_description.hpp"

namespace quarq::clients {

namespace {

/// How many jobs of the end of a list are read at each look.
constexpr std::size_t end_of_list = 100;

/// Workers report their counts once a second: what they count from the third look on has happened while this looked.
constexpr int counts_settled = 3;

/// How far the broker's clock may be from this machine's.
constexpr std::chrono::minutes max_clock_difference{3};

// Those that need attention first: the next looks read what is left for them.
constexpr job_state final_states[] = {job_state::dead, job_state::failed, job_state::expired,
                                      job_state::cancelled, job_state::succeeded};

bool asks_for_task_alone(const owned_filter& which) {
  auto other = which;
  other.task.clear();
  return other.states.empty() && other.besides_states().empty();
}

event_counts counts_of(const task_stats& s) {
  event_counts all;
  all.failed = s.failed + s.dead + s.expired;
  all.ended = s.succeeded + s.cancelled + all.failed;
  all.retried = s.retried;
  return all;
}

void add(event_counts& to, const event_counts& some) {
  to.ended += some.ended;
  to.failed += some.failed;
  to.retried += some.retried;
}

// 0 where `some` has more: its counts are on their way.
event_counts beyond(const event_counts& all, const event_counts& some) {
  const auto rest = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; };
  event_counts left;
  left.ended = rest(all.ended, some.ended);
  left.failed = rest(all.failed, some.failed);
  left.retried = rest(all.retried, some.retried);
  return left;
}

}  // namespace

job_follower::job_follower(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which)
    : store_(std::move(store)),
      queue_(std::move(queue)),
      which_(std::move(which)),
      news_(which_),
      counts_tell_(asks_for_task_alone(which_)) {
  for (const auto state : final_states) {
    if (!which_.states.empty() && !which_.states.contains(state)) continue;
    const bool lists = store_->about().lists_ended;
    if (lists || state == job_state::dead) lists_.emplace_back().state = state;
    // Other programs' dead jobs are in no list, either.
    if (!lists) scanned_ = scanned_ | state;
  }
}

awaitable<std::vector<job_event>> job_follower::look() {
  co_await look_at_running();
  co_await look_at_ended();
  co_await look_for_missing();
  if (counts_tell_) co_await count();
  co_return news_.take();
}

awaitable<void> job_follower::look_at_running() {
  std::vector<broker::job_details> jobs;
  std::string from;
  bool are_all = false;
  for (std::size_t page = 0; page < max_running_pages && !are_all; ++page) {
    auto some = co_await store_->page(queue_, job_state::running, broker::max_page, from);
    std::move(some.jobs.begin(), some.jobs.end(), std::back_inserter(jobs));
    from = std::move(some.next);
    are_all = from.empty();
  }
  news_.see_running(jobs, are_all, machine_time());
}

awaitable<void> job_follower::look_at_ended() {
  if (scan_from_.empty()) total_at_pass_ = total_;
  co_await read_lists();
  if (!scanned_.empty()) co_await scan_some();
  if (scan_from_.empty()) total_before_ = total_at_pass_;
}

// What a pass finds is reported when it is over, so that it is in order.
awaitable<void> job_follower::scan_some() {
  using clock = std::chrono::steady_clock;
  const auto until = clock::now() + max_scan_time;
  const auto now = machine_time();
  for (std::size_t pages = 0; pages < max_scanned_pages; ++pages) {
    auto page = co_await store_->page_of_ended(queue_, scanned_, scan_from_);
    scan_from_ = std::move(page.next);
    scan_.meet(std::move(page.jobs), new_from_);
    if (scan_from_.empty()) scan_.end_pass();
    if (scan_from_.empty() || clock::now() >= until) break;
  }
  new_from_ = std::min(new_from_, now);
  news_.see_ended(scan_.take(), now, true);
}

awaitable<void> job_follower::read_lists() {
  std::size_t left = max_ended_pages;
  for (auto& list : lists_) {
    --left;
    co_await read_page(list);
  }
  for (auto& list : lists_) {
    while (list.has_more && left > 0) {
      --left;
      co_await read_page(list);
    }
  }
}

// The last page is read again and again, as it grows, until another one follows it.
awaitable<void> job_follower::read_page(ended_list& list) {
  const auto max = list.is_passed ? end_of_list : broker::max_page;
  auto page = co_await store_->page(queue_, list.state, max, list.from);
  std::vector<broker::job_details> fresh;
  std::set<std::string> keys;
  for (auto& job : page.jobs) {
    auto key = key_of_end(job);
    if (list.is_passed && !list.seen.contains(key)) fresh.push_back(std::move(job));
    keys.insert(std::move(key));
  }
  news_.see_ended(std::move(fresh), machine_time());
  list.has_more = !page.next.empty();
  if (list.has_more) {
    list.from = std::move(page.next);
    for (const auto& key : keys) list.seen.erase(key);
  } else {
    list.is_passed = true;
    list.seen = std::move(keys);
  }
}

awaitable<void> job_follower::look_for_missing() {
  const auto ids = news_.missing(max_inspected);
  for (const auto& id : ids) {
    auto job = co_await store_->inspect(queue_, id);
    if (!scanned_.empty() && job && is_final(job->state)) scan_.was_reported(*job);
    news_.found(id, std::move(job));
  }
}

// Nobody asks for them any more.
void job_follower::add_up_minutes_before(time_point moment) {
  still_counted_from_ = std::max(still_counted_from_, moment);
  const auto end = minutes_.lower_bound(still_counted_from_);
  for (auto one = minutes_.begin(); one != end; one = minutes_.erase(one)) add(total_of_past_, one->second);
}

awaitable<void> job_follower::count() {
  const auto now = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now());
  const auto some = co_await store_->stats(queue_, now - max_clock_difference, now + max_clock_difference);
  std::map<time_point, event_counts> lately;
  for (const auto& one : some) {
    if (which_.task.empty() || one.task == which_.task) add(lately[one.minute], counts_of(one.counts));
  }
  for (const auto& [minute, counts] : lately) {
    if (minute >= still_counted_from_) minutes_[minute] = counts;
  }
  add_up_minutes_before(now - 2 * max_clock_difference);
  total_ = total_of_past_;
  for (const auto& [minute, counts] : minutes_) add(total_, counts);
  if (++counted_ <= counts_settled) accounted_ = beyond(total_, news_.counts());
}

event_counts job_follower::take_unseen() {
  if (counted_ <= counts_settled) return {};
  auto known = accounted_;
  add(known, news_.counts());
  const auto unseen = beyond(total_before_, known);
  add(accounted_, unseen);
  return unseen;
}

}  // namespace quarq::clients
