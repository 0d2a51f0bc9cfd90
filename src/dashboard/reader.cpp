#include "dashboard/reader.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/job_filter.hpp"
#include "clients/job_list.hpp"
#include "clients/service.hpp"
#include "clients/worker_info.hpp"
#include "codecs/utf8.hpp"
#include "cron/cron_list.hpp"
#include "dashboard/shown_job.hpp"
#include "dashboard/stats.hpp"
#include "model/announcement.hpp"

namespace quarq::dashboard {

namespace {

/// How many ready jobs of a queue are looked at, the next ones first.
constexpr std::size_t ready_looked_at = 10;
/// Where errors are told apart, in bytes.
constexpr std::size_t max_group_key = 100;

std::optional<std::uint64_t> count_of(const broker::queue_summary& queue, job_state state) {
  switch (state) {
    case job_state::queued:
      return queue.queued;
    case job_state::deferred:
      return queue.deferred;
    case job_state::running:
      return queue.running;
    case job_state::dead:
      return queue.dead;
    default:
      return std::nullopt;  // kept ends are counted together
  }
}

constexpr job_state every_state[] = {job_state::queued,    job_state::deferred, job_state::running,
                                     job_state::succeeded, job_state::failed,   job_state::cancelled,
                                     job_state::expired,   job_state::dead};

// Ends a request that has looked at enough.
clients::owned_list_options limited(std::size_t limit, std::string from, job_states states) {
  clients::owned_list_options how{list_options()};
  how.limit = limit;
  how.scan_limit = reader::max_looked_at;
  how.from = std::move(from);
  how.order = shown_order(states);
  how.until = reader::steady::now() + reader::max_scan_time;
  how.wants_total = false;  // total_of() knows more of them
  return how;
}

}  // namespace

reader::reader(std::shared_ptr<broker::broker> store, redaction by)
    : store_(std::move(store)), by_(std::move(by)) {}

awaitable<std::vector<broker::queue_summary>> reader::summaries() {
  auto all = co_await store_->queues();
  std::ranges::sort(all, {}, &broker::queue_summary::name);
  co_return all;
}

awaitable<overview_view> reader::overview() {
  const auto permit = co_await one_refreshes_.acquire();
  if (steady::now() - refreshed_ >= overview_age) {
    try {
      co_await refresh();
      overview_.trouble.clear();
    } catch (const broker_error& e) {
      overview_.trouble = e.what();
    }
    refreshed_ = steady::now();
  }
  co_return overview_;
}

awaitable<void> reader::refresh() {
  const auto all = co_await summaries();
  for (const auto& one : all) co_await look_closer(one);
  std::vector<queue_view> queues;
  for (const auto& one : all) {
    auto& view = queues.emplace_back();
    view.name = codecs::to_utf8(one.name);
    view.queued = one.queued;
    view.deferred = one.deferred;
    view.running = one.running;
    view.dead = one.dead;
    view.kept = one.kept;
    view.workers = one.workers;
    view.paused = one.paused;
    const auto& known = details_[one.name];
    if (one.queued > 0) view.oldest = known.oldest;
    if (one.queued > 0) view.unserved = known.unserved;
  }
  overview_.queues = std::move(queues);
  std::erase_if(details_, [&](const auto& kept) {
    return std::ranges::none_of(all, [&](const auto& one) { return one.name == kept.first; });
  });
}

awaitable<void> reader::look_closer(broker::queue_summary queue) {
  auto& known = details_[queue.name];
  const bool is_recent = steady::now() - known.asked < details_age;
  if (is_recent) co_return;
  queue_details now;
  now.asked = steady::now();
  const auto workers = co_await store_->workers(queue.name);
  count_done(workers);
  if (queue.queued > 0) {
    const auto those = co_await store_->live_workers_of(queue.name);
    const auto ready = co_await store_->list(queue.name, job_state::queued, ready_looked_at);
    for (const auto& job : ready) {
      const auto since = job.due_at ? job.due_at : job.enqueued_at;
      if (since && (!now.oldest || since->time_since_epoch().count() < *now.oldest))
        now.oldest = since->time_since_epoch().count();
      if (those.others || !now.unserved.empty()) continue;
      const auto task = clients::task_of(job.record);
      const auto found = clients::service_of(those, task);
      if (found == clients::service::likely) continue;
      now.unserved = codecs::to_utf8(clients::in_words(found, queue.name, task));
    }
  }
  known = std::move(now);
}

// A worker counts since its own start: what it had done before it was seen first is not news. One that serves several
// queues is met several times, and counts once.
void reader::count_done(const std::vector<broker::worker_summary>& those) {
  constexpr std::size_t max_known = 10'000;
  if (done_by_.size() > max_known) done_by_.clear();
  for (const auto& one : those) {
    const auto done = clients::read_worker_info(one.worker_info).done;
    if (!done) continue;
    const auto [known, is_new] = done_by_.try_emplace(one.token, *done);
    if (!is_new && *done > known->second) overview_.done += *done - known->second;
    known->second = *done;
  }
}

awaitable<std::optional<std::uint64_t>> reader::total_of(std::string queue, job_states states) {
  const auto all = co_await summaries();
  const auto found = std::ranges::find(all, queue, &broker::queue_summary::name);
  std::optional<std::uint64_t> total = 0;
  if (found == all.end()) co_return total;
  bool some_kept = false;
  bool all_kept = true;
  for (const auto state : every_state) {
    const bool is_asked_for = states.empty() || states.contains(state);
    const auto count = count_of(*found, state);
    if (count) {
      if (is_asked_for) *total += *count;
    } else {
      some_kept = some_kept || is_asked_for;
      all_kept = all_kept && is_asked_for;
    }
  }
  if (some_kept && !all_kept) {
    total.reset();
  } else if (some_kept) {
    *total += found->kept;
  }
  co_return total;
}

awaitable<jobs_view> reader::jobs(std::string queue, job_query query, std::string from, std::size_t limit) {
  auto which = filter_of(query, by_);
  const auto asked = which.states;
  which.limit_to(clients::all_job_states, "jobs");
  auto how = limited(limit, std::move(from), which.states);
  const auto found = co_await clients::list_matching(store_, queue, std::move(which), std::move(how));
  jobs_view view;
  for (const auto& details : found.jobs) {
    const auto shown = shown_job(queue, details, by_, clients::notes::left_out);
    view.jobs.push_back(view_of(shown, by_));
  }
  view.next = found.next;
  view.looked_at = found.looked_at;
  view.total = co_await total_of(queue, asked);
  co_return view;
}

awaitable<count_view> reader::count(std::string queue, job_query query, std::string from) {
  auto which = filter_of(query, by_);
  count_view view;
  view.total = co_await total_of(queue, which.states);
  if (which.besides_states().empty() && view.total && from.empty()) {
    view.count = view.looked_at = *view.total;
    co_return view;
  }
  which.limit_to(clients::all_job_states, "count");
  auto how = limited(0, std::move(from), which.states);
  const auto counted = co_await clients::count_matching(store_, queue, std::move(which), std::move(how));
  view.count = counted.count;
  view.next = counted.next;
  view.looked_at = counted.looked_at;
  co_return view;
}

awaitable<std::optional<job_view>> reader::job(std::string queue, std::string id) {
  const auto details = co_await store_->inspect(queue, id);
  std::optional<job_view> view;
  if (!details) co_return view;
  view = view_of(shown_job(queue, *details, by_), by_);
  if (details->state == job_state::running) {
    const auto all = co_await store_->workers(queue);
    const auto names = clients::names_of(all);
    const auto name = names.find(details->holder);
    if (name != names.end()) view->worker = codecs::to_utf8(name->second);
    view->waits_for = codecs::to_utf8(clients::awaited_by(id, all));
  }
  co_return view;
}

awaitable<errors_view> reader::errors(std::string queue) {
  const std::vector<job_state> states = {job_state::dead, job_state::failed};
  const auto until = steady::now() + max_scan_time;
  clients::matching_jobs scan(store_, queue, clients::owned_filter(), states);
  std::map<std::tuple<std::string, std::string, std::string>, error_group_view> groups;
  while (!scan.is_over() && scan.looked_at() < max_looked_at && steady::now() < until) {
    const auto some = co_await scan.next();
    for (const auto& details : some) {
      const auto job = view_of(shown_job(queue, details, by_, clients::notes::left_out), by_);
      const auto key = job.error_type + ": " + error_group(job.error);
      auto& group = groups[{job.state, job.task, key}];
      if (group.count == 0) {
        group.state = job.state;
        group.task = job.task;
        group.error_type = job.error_type;
        group.error = error_group(job.error);
        group.example = job.id;
      }
      ++group.count;
      const auto at = job.finished;
      if (at && (!group.first || *at < *group.first)) group.first = at;
      if (at && (!group.last || *at > *group.last)) group.last = at;
    }
  }
  errors_view view;
  view.looked_at = scan.looked_at();
  if (!scan.is_over()) view.total = co_await total_of(queue, job_state::dead);
  for (auto& [key, group] : groups) view.groups.push_back(std::move(group));
  std::ranges::sort(view.groups, [](const auto& a, const auto& b) {
    return std::tie(b.count, a.task, a.error_type, a.error) <
           std::tie(a.count, b.task, b.error_type, b.error);
  });
  co_return view;
}

awaitable<stats_view> reader::stats(std::string queue, std::chrono::minutes last) {
  stats_sum sum(std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now()), last);
  const auto all = co_await summaries();
  for (const auto& one : all) {
    if (!queue.empty() && one.name != queue) continue;
    const auto minutes = co_await store_->stats(one.name, sum.from(), sum.until());
    sum.add(minutes);
  }
  co_return sum.view();
}

awaitable<std::vector<worker_view>> reader::workers() {
  const auto all = co_await summaries();
  std::map<std::string, worker_view> by_token;
  for (const auto& queue : all) {
    const auto those = co_await store_->workers(queue.name);
    for (const auto& one : those) {
      auto& view = by_token[one.token];
      const auto info = clients::read_worker_info(one.worker_info);
      const auto said = model::read_announcement(one.announcement);
      view.token = codecs::to_utf8(one.token);
      view.name = codecs::to_utf8(info.worker.empty() ? one.token : info.worker);
      view.queues.push_back(codecs::to_utf8(queue.name));
      view.running += one.running;
      view.waiting = info.waiting;
      view.done = info.done;
      view.concurrency = info.concurrency;
      view.lease_ms = one.expires_in.count();
      view.names_tasks = said.known;
      view.tasks.clear();
      for (const auto& task : said.tasks) view.tasks.push_back(codecs::to_utf8(task));
      view.tasks_cut = said.cut;
    }
  }
  std::vector<worker_view> views;
  for (auto& [token, view] : by_token) views.push_back(std::move(view));
  std::ranges::sort(views, {}, &worker_view::name);
  co_return views;
}

awaitable<std::vector<cron_view>> reader::crons() {
  const auto all = co_await cron::all_crons(store_);
  std::vector<cron_view> views;
  for (const auto& one : all) {
    auto& view = views.emplace_back();
    view.name = codecs::to_utf8(one.name);
    view.queue = codecs::to_utf8(one.queue);
    if (one.next) view.next = one.next->time_since_epoch().count();
    view.next_id = codecs::to_utf8(one.next_id);
    view.planned = one.planned;
    view.active = one.active;
    view.known = one.known;
    view.paused = one.paused;
  }
  co_return views;
}

std::string error_group(std::string_view message) {
  auto size = std::min(message.find_first_of("0123456789\"'`"), message.size());
  const auto line = message.find('\n');
  size = std::min({size, line, codecs::cut_at(message, std::min(max_group_key, message.size()))});
  return codecs::to_utf8(message.substr(0, size));
}

}  // namespace quarq::dashboard
