// The broker's operations for operators. arq keeps no index of results or of running jobs: where
// they are asked for, all keys are looked through.
#include <algorithm>
#include <unordered_set>

#include <quarq/errors.hpp>

#include "broker/arq/broker.hpp"
#include "broker/arq/keys.hpp"
#include "broker/arq/replies.hpp"
#include "broker/arq/scripts.hpp"
#include "broker/checks.hpp"
#include "broker/redis_common/replies.hpp"
#include "broker/redis_common/script_args.hpp"
#include "broker/redis_common/stats.hpp"

namespace quarq::broker::arq {

using redis_common::item;
using redis_common::whole_number;

namespace {

constexpr std::size_t results_at_once = 1000;

bool has_index(job_state state) {
  return !is_final(state) || state == job_state::dead;
}

std::string digit(job_state state) {
  return std::string(1, redis_common::state_digit(state));
}

// j_ongoing of arq's health record.
std::uint64_t ongoing(std::string_view health) {
  constexpr std::string_view name = "j_ongoing=";
  const auto at = health.find(name);
  if (at == health.npos) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, whole_number(health.substr(at + name.size()))));
}

}  // namespace

// ---- one job

ended arq_broker::read_ended(std::string_view end) {
  auto read = read_result(payloads_, end.substr(1));
  if (end[0] != '?') read.state = redis_common::state_of_digit(end[0]);
  return read;
}

void arq_broker::read_record(std::string_view payload, job_details& into) {
  try {
    auto in = payloads_.read_job(payload);
    into.record = std::move(in.record);
    into.enqueued_at = time_point(milliseconds(in.enqueued_ms));
    if (in.expires_at_ms) into.expires_at = time_point(milliseconds(*in.expires_at_ms));
  } catch (const decode_error& e) {
    into.record = unreadable_record(e.what());
  }
}

known_job arq_broker::read_known(std::string_view payload) {
  known_job job;
  try {
    auto in = payloads_.read_job(payload);
    (in.given.empty() ? job.record : job.given) = std::move(in.given.empty() ? in.record : in.given);
  } catch (const decode_error& e) {
    job.record = unreadable_record(e.what());
  }
  return job;
}

// shared_details.lua
job_details arq_broker::read_details(const quarq::redis::reply& reply, std::string id) {
  job_details job;
  job.id = std::move(id);
  const auto& state = item(reply, 1).text;
  const auto& payload = item(reply, 2).text;
  const auto& result = item(reply, 3).text;
  if (!payload.empty()) read_record(payload, job);
  if (!result.empty()) {
    auto end = read_result(payloads_, result);
    job.state = end.state;
    job.outcome = std::move(end.outcome);
  }
  if (state != "?") job.state = redis_common::state_of_digit(state.at(0));
  job.attempts = static_cast<int>(whole_number(item(reply, 4)));
  job.losses = static_cast<int>(whole_number(item(reply, 8)));
  job.holder = item(reply, 6).text;
  if (is_final(job.state)) return job;
  job.outcome = item(reply, 9).text;
  if (reply.items.size() > 10) job.note = item(reply, 10).text;
  // A deferred job's due time is the next; of others it is the first, from which times shown count.
  const auto& first_due = item(reply, 7).text;
  if (job.state == job_state::deferred || first_due.empty()) {
    if (job.state != job_state::running) job.due_at = moment_of_score(item(reply, 5).text);
  } else {
    job.due_at = moment_of_score(first_due);
  }
  return job;
}

awaitable<std::optional<job_details>> arq_broker::inspect(std::string queue, std::string id) {
  co_await prepare(queue);
  std::vector<std::string> args = {id, "0"};
  auto reply = co_await calls_.run(scripts().inspect, key_of(queue), std::move(args));
  if (reply.type == quarq::redis::reply::kind::integer) {
    args = {id, "1"};
    reply = co_await calls_.run_over(payload_connection_, scripts().inspect, key_of(queue), std::move(args));
  }
  std::optional<job_details> found;
  if (!reply.is_nil()) found = read_details(reply, id);
  co_return found;
}

// ---- many jobs

awaitable<job_page> arq_broker::page(std::string queue, job_state state, std::size_t max, std::string from) {
  co_await prepare(queue);
  const auto key = key_of(queue);
  job_page some;
  if (!has_index(state)) {
    some = co_await page_of_results(key, state, std::move(from));
    co_return some;
  }
  std::vector<std::string> args = {digit(state), std::to_string(std::min(max, max_page)), std::move(from)};
  auto reply = co_await calls_.run_over(payload_connection_, scripts().list, key, std::move(args));
  some.next = item(reply, 0).text;
  for (std::size_t i = 1; i < reply.items.size(); ++i)
    some.jobs.push_back(read_details(reply.items[i], item(reply.items[i], 0).text));
  co_return some;
}

awaitable<job_page> arq_broker::page_of_ended(std::string queue, job_states states, std::string from) {
  co_await prepare(queue);
  auto some = co_await page_of_results(key_of(queue), states, std::move(from));
  co_return some;
}

// Goes on at SCAN's cursor.
awaitable<job_page> arq_broker::page_of_results(std::string key, job_states states, std::string from) {
  keyspace found;
  job_page some;
  if (from.empty()) from = "0";
  some.next = co_await scan_some(std::move(from), found);
  if (some.next == "0") some.next.clear();
  std::function<bool(const std::string&, arq_end_in&)> visit = [&](const std::string& id, arq_end_in& end) {
    if (end.queue == key && states.contains(end.state)) {
      auto& job = some.jobs.emplace_back();
      job.id = id;
      job.state = end.state;
      job.outcome = std::move(end.outcome);
    }
    return true;
  };
  co_await visit_results(std::move(found.results), std::move(visit));
  co_return some;
}

awaitable<bool> arq_broker::set_paused(std::string queue, bool paused) {
  co_await prepare(queue);
  const bool changed = co_await set_by_operators_.set_paused(key_of(queue), paused);
  co_return changed;
}

awaitable<bool> arq_broker::is_paused(std::string queue) {
  co_await prepare(queue);
  const bool paused = co_await set_by_operators_.is_paused(key_of(queue));
  co_return paused;
}

awaitable<bool> arq_broker::set_mark(std::string queue, std::string name, std::string text) {
  co_await prepare(queue);
  const bool changed = co_await set_by_operators_.set_mark(key_of(queue), std::move(name), std::move(text));
  co_return changed;
}

awaitable<std::map<std::string, std::string>> arq_broker::marks(std::string queue) {
  co_await prepare(queue);
  auto found = co_await set_by_operators_.marks(key_of(queue));
  co_return found;
}

// Until `visit` says no.
awaitable<void> arq_broker::visit_results(std::vector<std::string> ids,
                                          std::function<bool(const std::string& id, arq_end_in& end)> visit) {
  for (std::size_t first = 0; first < ids.size();) {
    const auto from = ids.begin() + static_cast<std::ptrdiff_t>(first);
    const auto to = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), first + results_at_once));
    std::vector<std::string> args(from, to);
    auto reply = co_await calls_.run_over(payload_connection_, scripts().results, settings_.default_queue,
                                          std::move(args));
    if (reply.items.empty())
      throw broker_error("Redis answered a script with something else than it returns");
    for (std::size_t i = 0; i < reply.items.size(); ++i) {
      const auto& payload = reply.items[i];
      if (payload.is_nil()) continue;
      arq_end_in end;
      try {
        end = payloads_.read_end(payload.text);
      } catch (const decode_error&) {
        continue;  // It does not say which queue's it is.
      }
      const bool go_on = visit(ids.at(first + i), end);
      if (!go_on) co_return;
    }
    first += reply.items.size();
  }
}

// Returns SCAN's next cursor, "0" at the end.
awaitable<std::string> arq_broker::scan_some(std::string cursor, keyspace& into) {
  std::vector<std::string> args = {"SCAN", std::move(cursor), "MATCH", "arq:*", "COUNT", "1000"};
  auto reply = co_await connection_.command(std::move(args));
  for (const auto& one : item(reply, 1).items) {
    const std::string_view key = one.text;
    if (key.starts_with(in_progress_prefix)) into.running.emplace_back(key.substr(in_progress_prefix.size()));
    if (key.starts_with(result_prefix)) into.results.emplace_back(key.substr(result_prefix.size()));
  }
  auto next = item(reply, 0).text;
  if (next.empty()) next = "0";
  co_return next;
}

awaitable<arq_broker::keyspace> arq_broker::scan() {
  keyspace found;
  std::string cursor = "0";
  do {
    cursor = co_await scan_some(std::move(cursor), found);
  } while (cursor != "0");
  // SCAN may name a key twice.
  for (auto* ids : {&found.running, &found.results}) {
    std::sort(ids->begin(), ids->end());
    ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
  }
  co_return found;
}

awaitable<std::vector<queue_summary>> arq_broker::queues() {
  co_await server_.check();
  auto all = co_await scan();
  std::map<std::string, queue_summary> by_key;
  auto noted = co_await server_.known_queues();
  for (const auto& key : noted) by_key[key];
  std::vector<std::string> look = {"EXISTS", settings_.default_queue};
  auto there = co_await connection_.command(std::move(look));
  if (there.integer == 1) by_key[settings_.default_queue];
  std::function<bool(const std::string&, arq_end_in&)> count = [&by_key](const std::string&,
                                                                         arq_end_in& end) {
    if (!end.queue.empty() && end.state != job_state::dead) ++by_key[end.queue].kept;
    return true;
  };
  co_await visit_results(std::move(all.results), std::move(count));
  std::vector<queue_summary> found;
  for (auto& [key, one] : by_key) {
    co_await summarize(key, all.running, one);
    one.name = name_of(key);
    found.push_back(one);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  co_return found;
}

awaitable<void> arq_broker::summarize(const std::string& key, const std::vector<std::string>& running,
                                      queue_summary& into) {
  auto without = co_await calls_.run(scripts().summary, key, std::vector<std::string>());
  std::int64_t due = item(without, 0).integer, deferred = item(without, 1).integer, runs = 0;
  for (std::size_t first = 0; first < running.size(); first += results_at_once) {
    const auto from = running.begin() + static_cast<std::ptrdiff_t>(first);
    const auto to =
        running.begin() + static_cast<std::ptrdiff_t>(std::min(running.size(), first + results_at_once));
    std::vector<std::string> args(from, to);
    auto with = co_await calls_.run(scripts().summary, key, std::move(args));
    due -= item(without, 0).integer - item(with, 0).integer;
    deferred -= item(without, 1).integer - item(with, 1).integer;
    runs += item(with, 2).integer;
  }
  const auto count = [](std::int64_t n) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, n)); };
  into.queued = count(due);
  into.deferred = count(deferred);
  into.running = count(runs);
  into.dead = count(item(without, 3).integer);
  into.workers = count(item(without, 4).integer);
  into.paused = item(without, 5).integer == 1;
}

awaitable<std::vector<worker_summary>> arq_broker::workers(std::string queue) {
  co_await prepare(queue);
  const auto key = key_of(queue);
  std::vector<std::string> args(1, health_key_of(key));
  auto reply = co_await calls_.run(scripts().workers, key, std::move(args));
  auto found = redis_common::read_workers(item(reply, 1));
  const auto& health = item(reply, 0);
  if (health.is_nil()) co_return found;
  auto& worker = found.emplace_back();
  worker.token = health_key_of(key);
  worker.running = ongoing(item(health, 0).text);
  worker.expires_in = milliseconds(item(health, 1).integer);
  co_return found;
}

// Python's workers announce nothing.
awaitable<live_workers> arq_broker::live_workers_of(std::string queue) {
  co_await prepare(queue);
  const auto key = key_of(queue);
  std::vector<std::string> args(1, health_key_of(key));
  auto reply = co_await calls_.run(scripts().workers, key, std::move(args));
  live_workers found;
  found.others = item(reply, 2).integer == 1;
  found.paused = co_await is_paused(std::move(queue));
  for (auto& worker : redis_common::read_workers(item(reply, 1)))
    found.announcements.push_back(std::move(worker.announcement));
  co_return found;
}

awaitable<std::size_t> arq_broker::requeue(std::string queue, std::vector<std::string> ids) {
  co_await prepare(queue);
  const bool all = ids.empty();
  std::size_t count = 0;
  std::string until;  // jobs that die meanwhile are not requeued
  for (std::size_t first = 0; all || first < ids.size(); first += results_at_once) {
    std::vector<std::string> args(1, std::to_string(settings_.expires_extra.count()));
    args.push_back(until);
    redis_common::append_some(args, ids, first, results_at_once);
    auto reply = co_await calls_.run_once(scripts().requeue, key_of(queue), std::move(args));
    count += static_cast<std::size_t>(item(reply, 0).integer);
    until = item(reply, 1).text;
    const bool more = item(reply, 2).integer == 1;
    if (all && !more) break;
  }
  co_return count;
}

awaitable<std::size_t> arq_broker::purge(std::string queue, job_state state) {
  co_await prepare(queue);
  check_purge(state);
  const auto key = key_of(queue);
  std::size_t count = 0;
  if (!has_index(state)) {
    count = co_await purge_results(queue, state);
    co_return count;
  }
  std::int64_t passed_over = 0;
  for (bool more = true; more;) {
    std::vector<std::string> args(1, digit(state));
    args.push_back(std::to_string(passed_over));
    auto reply = co_await calls_.run_once(scripts().purge, key, std::move(args));
    count += static_cast<std::size_t>(item(reply, 0).integer);
    passed_over += item(reply, 1).integer;
    more = item(reply, 2).integer == 1;
  }
  co_return count;
}

awaitable<std::size_t> arq_broker::purge_named(std::string queue, job_state state,
                                               std::vector<std::string> ids) {
  co_await prepare(queue);
  check_purge(state);
  std::size_t count = 0;
  for (std::size_t first = 0; first < ids.size(); first += max_page) {
    std::vector<std::string> args(1, has_index(state) ? digit(state) : "?");
    redis_common::append_some(args, ids, first, max_page);
    auto reply = co_await calls_.run_once(scripts().purge_named, key_of(queue), std::move(args));
    count += static_cast<std::size_t>(reply.integer);
  }
  co_return count;
}

// Of other states there is no count that does not look at each job.
awaitable<std::optional<std::uint64_t>> arq_broker::count(std::string queue, job_state state) {
  co_await prepare(queue);
  if (state != job_state::dead) co_return std::nullopt;
  const auto reply = co_await calls_.ask("ZCARD", key_of(queue), "dead");
  co_return static_cast<std::uint64_t>(reply.integer);
}

awaitable<void> arq_broker::add_stats(std::string queue, std::vector<task_counts> what) {
  co_await prepare(queue);
  auto args = redis_common::stats_args(what);
  co_await calls_.run_once(scripts().add_stats, key_of(queue), std::move(args));
}

awaitable<std::vector<task_minute>> arq_broker::stats(std::string queue, task_minute::time_point from,
                                                      task_minute::time_point until) {
  co_await prepare(queue);
  auto found = co_await redis_common::fetch_stats(calls_, payload_connection_, scripts().stats, key_of(queue),
                                                  from, until);
  co_return found;
}

awaitable<std::size_t> arq_broker::purge_results(std::string queue, job_state state) {
  auto found = co_await list(queue, state, std::size_t(-1));
  for (std::size_t first = 0; first < found.size(); first += results_at_once) {
    std::vector<std::string> args = {"?", "0"};
    for (auto i = first; i < std::min(found.size(), first + results_at_once); ++i)
      args.push_back(found[i].id);
    co_await calls_.run_once(scripts().purge, key_of(queue), std::move(args));
  }
  co_return found.size();
}

}  // namespace quarq::broker::arq
