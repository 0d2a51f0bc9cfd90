#include "broker/redis/broker.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>

#include "base/log.hpp"
#include "broker/checks.hpp"
#include "broker/redis/scripts.hpp"
#include "broker/redis_common/byte_limits.hpp"
#include "broker/redis_common/notes.hpp"
#include "broker/redis_common/replies.hpp"
#include "broker/redis_common/script_args.hpp"
#include "broker/redis_common/stats.hpp"
#include "codecs/utf8.hpp"
#include "model/record.hpp"

namespace quarq::broker::redis {

using redis_common::item;
using redis_common::max_jobs_per_call;
using redis_common::packed_job;
using redis_common::state_digit;
using redis_common::state_of_digit;
using redis_common::whole_number;

namespace {

constexpr const char* all_queues = "quarq:queues";
constexpr std::chrono::seconds ask_again_after{10}, longest_pause{160};  // of clients that wait for results
constexpr milliseconds confirm_pushes_after{2};  // far less than enqueue.lua waits for that
constexpr int max_sweeps = 20;                   // after a renewal: 10,000 outcomes or so

using steady = std::chrono::steady_clock;

std::string lease_channel(const lease& held) {
  return key_prefix(held.queue) + "lease:" + held.token;
}

// A job's number in the hash of tries: attempts, and in the bits above losses (shared_lists.lua).
constexpr std::int64_t one_loss = 1 << 20;

// shared_details.lua
job_details read_details(const quarq::redis::reply& reply) {
  job_details job;
  job.id = item(reply, 0).text;
  job.state = state_of_digit(item(reply, 1).text.at(0));
  const std::string& stored = item(reply, 2).text;
  job.outcome = item(reply, 3).text;
  job.attempts = static_cast<int>(item(reply, 4).integer % one_loss);
  job.losses = static_cast<int>(item(reply, 4).integer / one_loss);
  job.holder = item(reply, 6).text;
  if (reply.items.size() > 7) job.note = item(reply, 7).text;
  if (stored.empty()) return job;
  const auto header = read_header(stored);
  if (!header) return job;
  job.record = stored.substr(job_header_size);
  job.priority = header->priority;
  job.enqueued_at = header->enqueued_at;
  job.due_at = header->due_at;
  job.expires_at = header->expires_at;
  if (job.state == job_state::deferred) job.due_at = time_point(milliseconds(whole_number(item(reply, 5))));
  return job;
}

// A job in its first try; nothing if it is damaged.
std::optional<claimed_job> read_job(std::string_view id, std::string_view stored) {
  const auto header = read_header(stored);
  if (!header) return std::nullopt;
  claimed_job job;
  job.id = id;
  job.record = stored.substr(job_header_size);
  job.priority = header->priority;
  job.enqueued_at = header->enqueued_at;
  job.due_at = header->due_at;
  job.expires_at = header->expires_at;
  return job;
}

// j, the id's length, id, header and record (enqueue.lua).
std::optional<claimed_job> read_pushed(std::string_view message) {
  if (message.size() < 2) return std::nullopt;
  const std::size_t length = static_cast<unsigned char>(message[1]);
  if (message.size() < 2 + length + job_header_size) return std::nullopt;
  return read_job(message.substr(2, length), message.substr(2 + length));
}

std::vector<packed_job> pack(std::vector<new_job> jobs) {
  std::vector<packed_job> packed;
  packed.reserve(jobs.size());
  for (auto& job : jobs) {
    auto terms = pack_options(job);
    packed.push_back({std::move(job.id), std::move(job.record), std::move(terms), std::move(job.task)});
  }
  return packed;
}

}  // namespace

redis_broker::redis_broker(redis_settings settings, boost::asio::any_io_executor loop)
    : settings_(std::move(settings)),
      connection_(loop, settings_.connection),
      payloads_(loop, settings_.connection),
      server_(connection_, all_queues),
      calls_(connection_, key_prefix),
      set_by_operators_(calls_, server_, scripts().pause, scripts().set_mark),
      enqueuer_(std::make_shared<redis_common::enqueue_batcher>(loop, connection_, scripts().enqueue,
                                                                key_prefix, &payloads_)),
      waits_(std::make_shared<redis_common::result_waiters>(loop, connection_, scripts().wait, key_prefix,
                                                            ask_again_after, &payloads_, longest_pause)),
      loop_(loop) {
  connection_.on_reconnect([this] { reconnected(); });
}

redis_broker::~redis_broker() {
  enqueuer_->close();
  waits_->close();
}

// ---- for clients

awaitable<std::vector<accepted>> redis_broker::enqueue(std::string queue, std::vector<new_job> jobs) {
  check_jobs(jobs);
  redis_common::check_sizes(jobs);
  co_await prepare(queue);
  if (jobs.empty()) co_return std::vector<accepted>();
  co_await server_.remember_queue(queue);
  std::string waiter;
  if (jobs.size() == 1 && waits_->expects_wait(queue) && jobs.front().id_is_fresh) {
    waiter = waits_->name();
    waits_->prefetched(queue, jobs.front().id);
  }
  auto packed = pack(std::move(jobs));
  auto answers = co_await enqueuer_->enqueue(std::move(queue), std::move(packed), std::move(waiter));
  co_return answers;
}

awaitable<std::optional<ended>> redis_broker::wait_ended(std::string queue, std::string id) {
  co_await prepare(queue);
  auto end = co_await waits_->wait(std::move(queue), std::move(id));
  std::optional<ended> answer;
  if (end) answer = ended{state_of_digit(end->at(0)), end->substr(1)};
  co_return answer;
}

awaitable<std::vector<std::string>> redis_broker::notes(std::string queue, std::vector<std::string> ids) {
  co_await prepare(queue);
  const auto prefix = key_prefix(queue) + "note:";
  auto all = co_await redis_common::fetch_notes(connection_, prefix, std::move(ids));
  co_return all;
}

awaitable<cancel_result> redis_broker::cancel(std::string queue, std::string id, std::string outcome,
                                              std::optional<milliseconds> keep) {
  co_await prepare(queue);
  std::vector<std::string> args(1, id);
  args.push_back(pack_end(keep, outcome));
  auto reply = co_await calls_.run_once(scripts().cancel, queue, std::move(args));
  co_return redis_common::read_cancel_result(reply);
}

// ---- for workers

awaitable<void> redis_broker::open_lease(worker_lease held, lease_options options, worker_events events) {
  check_lease(held);
  co_await server_.check();
  co_await server_.remember_queues(held.queues);
  auto worker = std::make_shared<open_worker>();
  worker->events = std::move(events);
  worker->known_info = options.worker_info;
  if (options.says_begin_from)
    worker->says_begin_from = std::to_string(std::max(0, *options.says_begin_from));
  workers_[held.token] = worker;
  try {
    std::vector<awaitable<void>> subscriptions;
    for (const auto& queue : held.queues) {
      const auto channel = lease_channel({queue, held.token});
      auto& state = leases_[channel];
      state.queue = queue;
      state.worker = worker;
      state.pushed_key = key_prefix(queue) + "pushed:" + held.token;
      std::function<void(std::string_view)> receive = [this, channel](std::string_view message) {
        on_message(channel, message);
      };
      subscriptions.push_back(connection_.subscribe(channel, std::move(receive)));
    }
    co_await gather(std::move(subscriptions));
    std::vector<std::string> args = {held.token, std::to_string(options.duration.count()),
                                     std::move(options.worker_info), std::move(options.announcement)};
    co_await calls_.run_for(scripts().open_lease, held, std::move(args));
  } catch (...) {
    forget_lease(held);
    throw;
  }
}

awaitable<renewal> redis_broker::renew(worker_lease held, lease_options options) {
  check_lease(held);
  co_await server_.check();
  const auto found = workers_.find(held.token);
  const auto worker = found == workers_.end() ? nullptr : found->second;
  const bool is_known = worker && worker->known_info == options.worker_info;
  const auto queue = held.queues[worker ? worker->renewals++ % held.queues.size() : 0];
  std::vector<std::string> args = {held.token, std::to_string(options.duration.count()),
                                   is_known ? std::string() : options.worker_info,
                                   worker ? worker->leases : "1", options.takes_jobs ? "1" : "0"};
  const auto asked = steady::now();
  auto reply = co_await calls_.run(scripts().renew, queue, std::move(args));
  if (reply.is_nil()) {
    forget_lease(held);
    co_return renewal();
  }
  if (worker) worker->known_info = std::move(options.worker_info);
  hear_the_time(time_point(milliseconds(item(reply, 1).integer)), asked);
  auto answer = read_renewal(reply, held, queue);
  if (worker) worker->leases = std::to_string(answer.workers);
  if (item(reply, 2).integer == 1 && options.takes_jobs) co_await sweep(queue);
  co_return answer;
}

renewal redis_broker::read_renewal(const quarq::redis::reply& reply, const worker_lease& held,
                                   const std::string& looked_at) const {
  renewal answer;
  answer.held = true;
  if (item(reply, 0).integer == 1) answer.work_ready.push_back(looked_at);
  if (item(reply, 0).integer == 2) answer.paused.push_back(looked_at);
  answer.workers = static_cast<std::size_t>(std::max<std::int64_t>(1, item(reply, 3).integer));
  for (std::size_t i = 4; i < reply.items.size(); ++i) {
    const auto& wanted = reply.items[i];
    const auto queue = std::find_if(held.queues.begin(), held.queues.end(), [&](const auto& name) {
      return key_prefix(name) == item(wanted, 0).text;
    });
    if (queue == held.queues.end()) continue;
    for (std::size_t k = 1; k < wanted.items.size(); ++k)
      answer.cancel_requests.push_back({*queue, wanted.items[k].text});
  }
  return answer;
}

// The renewal itself has succeeded: the next one removes the rest.
awaitable<void> redis_broker::sweep(std::string queue) {
  try {
    std::int64_t dead = 0;
    bool more = true;
    for (int i = 0; more && i < max_sweeps; ++i) {
      auto args = settings_.dead.args();
      auto reply = co_await calls_.run(scripts().sweep, queue, std::move(args));
      more = item(reply, 0).integer == 1;
      dead += item(reply, 1).integer;
    }
    settings_.dead.log_removed(queue, dead);
  } catch (const broker_error&) {
  }
}

awaitable<void> redis_broker::close_lease(worker_lease held) {
  check_lease(held);
  co_await server_.check();
  forget_lease(held);
  std::vector<std::string> args(1, held.token);
  co_await calls_.run_for(scripts().close_lease, held, std::move(args));
}

awaitable<claim_result> redis_broker::claim(lease held, std::size_t max) {
  co_await prepare(held.queue);
  claim_result result;
  bool more = true;
  while (more && result.jobs.size() < max) {
    const auto some = std::min(max_jobs_per_call, max - result.jobs.size());
    more = co_await claim_some(held, some, result);
  }
  co_return result;
}

// The server's reply is cut to whole milliseconds.
void redis_broker::hear_the_time(time_point said, steady::time_point asked) {
  const auto before = std::chrono::time_point_cast<std::chrono::microseconds>(asked) - milliseconds(1);
  clock_.heard(said.time_since_epoch(), before, clock_.local_now());
}

// Whether there may be more.
awaitable<bool> redis_broker::claim_some(lease held, std::size_t max, claim_result& into) {
  std::vector<std::string> args(1, held.token);
  args.push_back(std::to_string(max));
  const auto* state = state_of(held);
  args.push_back(state && state->worker->events.on_job_pushed ? "1" : "0");
  args.push_back(state ? state->worker->says_begin_from : "");
  const auto asked = steady::now();
  auto reply = co_await calls_.run(scripts().claim, held.queue, std::move(args));
  if (reply.is_nil()) {
    throw broker_error(fmt::format("lease lost: \"{}\" is not held in queue \"{}\"", held.token, held.queue));
  }
  into.now = time_point(milliseconds(item(reply, 0).integer));
  hear_the_time(into.now, asked);
  into.paused = item(reply, 5).integer == 2;
  into.next_due.reset();
  if (item(reply, 1).integer >= 0) into.next_due = milliseconds(item(reply, 1).integer);
  const auto& ids = item(reply, 2).items;
  const auto& tried = item(reply, 4).items;
  const auto& last_tries = item(reply, 6).items;
  std::size_t next_try = 0;
  std::vector<std::string> damaged;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::string last_outcome;
    if (next_try + 1 < last_tries.size() &&
        last_tries[next_try].integer == static_cast<std::int64_t>(i + 1)) {
      last_outcome = last_tries[next_try + 1].text;
      next_try += 2;
    }
    auto stored = item(item(reply, 3), i);
    if (stored.type == quarq::redis::reply::kind::integer) {
      stored.text = co_await fetch_record(held.queue, ids[i].text);
    }
    auto job = read_job(ids[i].text, stored.text);
    if (!job) {
      damaged.push_back(ids[i].text);
      continue;
    }
    if (i < tried.size()) {
      const auto tries = whole_number(tried[i]);
      job->attempts += static_cast<int>(tries % one_loss);
      job->losses = static_cast<int>(tries / one_loss);
    }
    job->last_outcome = std::move(last_outcome);
    into.jobs.push_back(std::move(*job));
  }
  if (!damaged.empty()) co_await bury_damaged(held, std::move(damaged));
  co_return ids.size() == max || item(reply, 5).integer == 1;
}

// A record too large for a reply to a claim. Empty if the job is no longer there.
awaitable<std::string> redis_broker::fetch_record(std::string queue, std::string id) {
  std::vector<std::string> args = {"HGET", key_prefix(queue) + "jobs", id};
  auto reply = co_await payloads_.command(std::move(args));
  co_return std::move(reply.text);
}

// Jobs whose stored bytes nobody can read: each ends by itself, so that it does not hold up those beside it.
awaitable<void> redis_broker::bury_damaged(lease held, std::vector<std::string> ids) {
  std::vector<settlement> batch;
  for (auto& id : ids) {
    base::log().warn("queue {}: job {} is damaged in Redis: it is dead now", held.queue,
                     codecs::printable(id, max_id));
    model::outcome why;
    why.error_type = "quarq::broker_error";
    why.error = "the job's record in Redis is damaged: it is shorter than its header";
    auto& one = batch.emplace_back();
    one.id = std::move(id);
    one.state = job_state::dead;
    one.outcome = model::encode(why);
  }
  co_await settle(held, std::move(batch));
}

awaitable<std::vector<bool>> redis_broker::settle(lease held, std::vector<settlement> batch) {
  redis_common::check_sizes(batch);
  co_await prepare(held.queue);
  std::vector<bool> answers(batch.size(), false);
  auto parts = redis_common::split_settlements(batch);
  for (auto& part : parts) co_await settle_some(held, batch, std::move(part), answers);
  const auto prefix = key_prefix(held.queue) + "note:";
  co_await redis_common::forget_notes(connection_, prefix, batch, answers);
  co_return answers;
}

awaitable<void> redis_broker::settle_some(lease held, const std::vector<settlement>& batch,
                                          std::vector<std::size_t> which, std::vector<bool>& answers) {
  std::vector<std::string> terms;
  bool alike = true;
  for (const auto i : which) {
    terms.push_back(pack_settlement(batch[i]));
    alike = alike && terms.back() == terms.front();
  }
  std::vector<std::string> args;
  args.reserve(4 + 3 * which.size());
  const auto channel = lease_channel(held);
  const auto number = settle_numbers_[channel].next();
  args.push_back(held.token);
  args.push_back(number);
  args.push_back(settle_numbers_[channel].take_answered());
  args.push_back(alike ? terms.front() : "");
  for (std::size_t k = 0; k < which.size(); ++k) {
    args.push_back(batch[which[k]].id);
    args.push_back(batch[which[k]].outcome);
    if (!alike) args.push_back(std::move(terms[k]));
  }
  const bool is_large = batch[which.front()].outcome.size() > redis_common::max_shared_payload;
  auto reply = co_await calls_.run_over(is_large ? payloads_ : connection_, scripts().settle, held.queue,
                                        std::move(args));
  const auto numbers = settle_numbers_.find(channel);
  if (numbers != settle_numbers_.end()) {
    numbers->second.answered(number);
    if (!state_of(held)) settle_numbers_.erase(numbers);  // the lease was lost or closed
  }
  for (std::size_t k = 0; k < which.size(); ++k) {
    answers[which[k]] = reply.text.empty() || reply.text.at(k) == '1';
  }
}

awaitable<void> redis_broker::reconcile(lease held, std::vector<std::string> known) {
  co_await prepare(held.queue);
  std::vector<std::string> args(1, held.token);
  args.insert(args.end(), std::make_move_iterator(known.begin()), std::make_move_iterator(known.end()));
  co_await calls_.run(scripts().reconcile, held.queue, std::move(args));
  // Jobs pushed until then have been given back.
  if (auto* state = state_of(held)) state->pushes_came = 0;
}

awaitable<void> redis_broker::keep_notes(lease held, std::vector<job_note> notes) {
  co_await prepare(held.queue);
  auto args = redis_common::notes_args(held.token, std::move(notes));
  co_await calls_.run(scripts().keep_notes, held.queue, std::move(args));
}

// ---- for operators

awaitable<std::optional<job_details>> redis_broker::inspect(std::string queue, std::string id) {
  co_await prepare(queue);
  std::vector<std::string> args = {id, std::to_string(redis_common::max_shared_payload)};
  auto reply = co_await calls_.run(scripts().inspect, queue, std::move(args));
  if (reply.type == quarq::redis::reply::kind::integer) {  // too large
    args = {id, ""};
    reply = co_await calls_.run_over(payloads_, scripts().inspect, queue, std::move(args));
  }
  std::optional<job_details> found;
  if (!reply.is_nil()) found = read_details(reply);
  co_return found;
}

awaitable<job_page> redis_broker::page(std::string queue, job_state state, std::size_t max,
                                       std::string from) {
  co_await prepare(queue);
  std::vector<std::string> args = {std::string(1, state_digit(state)),
                                   std::to_string(std::min(max, max_page)), std::move(from)};
  auto reply = co_await calls_.run_over(payloads_, scripts().list, queue, std::move(args));
  job_page some;
  some.next = item(reply, 0).text;
  for (std::size_t i = 1; i < reply.items.size(); ++i) {
    const auto& one = reply.items[i];
    if (one.type == quarq::redis::reply::kind::array) {
      some.jobs.push_back(read_details(one));
      continue;
    }
    auto alone = co_await inspect(queue, one.text);
    if (alone && alone->state == state) some.jobs.push_back(std::move(*alone));
  }
  co_return some;
}

awaitable<bool> redis_broker::set_paused(std::string queue, bool paused) {
  co_await prepare(queue);
  const bool changed = co_await set_by_operators_.set_paused(std::move(queue), paused);
  co_return changed;
}

awaitable<bool> redis_broker::is_paused(std::string queue) {
  co_await prepare(queue);
  const bool paused = co_await set_by_operators_.is_paused(std::move(queue));
  co_return paused;
}

awaitable<bool> redis_broker::set_mark(std::string queue, std::string name, std::string text) {
  co_await prepare(queue);
  const bool changed =
      co_await set_by_operators_.set_mark(std::move(queue), std::move(name), std::move(text));
  co_return changed;
}

awaitable<std::map<std::string, std::string>> redis_broker::marks(std::string queue) {
  co_await prepare(queue);
  auto found = co_await set_by_operators_.marks(std::move(queue));
  co_return found;
}

awaitable<std::vector<queue_summary>> redis_broker::queues() {
  co_await server_.check();
  auto names = co_await server_.known_queues();
  std::vector<queue_summary> found;
  for (const auto& name : names) {
    auto reply = co_await calls_.run(scripts().summary, name, std::vector<std::string>());
    auto& one = found.emplace_back();
    one.name = name;
    std::uint64_t* const counts[] = {&one.queued, &one.deferred, &one.running,
                                     &one.dead,   &one.kept,     &one.workers};
    for (std::size_t i = 0; i < std::size(counts); ++i)
      *counts[i] = static_cast<std::uint64_t>(item(reply, i).integer);
    one.paused = item(reply, std::size(counts)).integer == 1;
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  co_return found;
}

awaitable<std::vector<worker_summary>> redis_broker::workers(std::string queue) {
  co_await prepare(queue);
  auto reply = co_await calls_.run(scripts().workers, queue, std::vector<std::string>());
  co_return redis_common::read_workers(reply);
}

awaitable<std::size_t> redis_broker::requeue(std::string queue, std::vector<std::string> ids) {
  co_await prepare(queue);
  const bool all = ids.empty();
  std::size_t count = 0;
  std::string until;  // jobs that die meanwhile are not requeued
  for (std::size_t first = 0; all || first < ids.size(); first += max_jobs_per_call) {
    std::vector<std::string> args(1, until);
    redis_common::append_some(args, ids, first, max_jobs_per_call);
    auto reply = co_await calls_.run_once(scripts().requeue, queue, std::move(args));
    count += static_cast<std::size_t>(item(reply, 0).integer);
    until = std::to_string(item(reply, 1).integer);
    const bool more = item(reply, 2).integer == 1;
    if (all && !more) break;
  }
  co_return count;
}

awaitable<std::size_t> redis_broker::purge(std::string queue, job_state state) {
  co_await prepare(queue);
  check_purge(state);
  std::size_t count = 0;
  for (bool more = true; more;) {
    std::vector<std::string> args(1, std::string(1, state_digit(state)));
    auto reply = co_await calls_.run_once(scripts().purge, queue, std::move(args));
    count += static_cast<std::size_t>(item(reply, 0).integer);
    more = item(reply, 1).integer == 1;
  }
  co_return count;
}

awaitable<std::size_t> redis_broker::purge_named(std::string queue, job_state state,
                                                 std::vector<std::string> ids) {
  co_await prepare(queue);
  check_purge(state);
  std::size_t count = 0;
  for (std::size_t first = 0; first < ids.size();) {
    std::vector<std::string> args(1, std::string(1, state_digit(state)));
    redis_common::append_some(args, ids, first, max_page);
    auto reply = co_await calls_.run_once(scripts().purge_named, queue, std::move(args));
    count += static_cast<std::size_t>(item(reply, 0).integer);
    first += static_cast<std::size_t>(std::max<std::int64_t>(1, item(reply, 1).integer));
  }
  co_return count;
}

awaitable<std::optional<std::uint64_t>> redis_broker::count(std::string queue, job_state state) {
  co_await prepare(queue);
  std::vector<std::string> args(1, std::string(1, state_digit(state)));
  auto reply = co_await calls_.run(scripts().count, queue, std::move(args));
  co_return static_cast<std::uint64_t>(reply.integer);
}

awaitable<void> redis_broker::add_stats(std::string queue, std::vector<task_counts> what) {
  co_await prepare(queue);
  auto args = redis_common::stats_args(what);
  co_await calls_.run_once(scripts().add_stats, queue, std::move(args));
}

awaitable<std::vector<task_minute>> redis_broker::stats(std::string queue, task_minute::time_point from,
                                                        task_minute::time_point until) {
  co_await prepare(queue);
  auto found =
      co_await redis_common::fetch_stats(calls_, payloads_, scripts().stats, std::move(queue), from, until);
  co_return found;
}

// ---- pushes and events

void redis_broker::on_message(const std::string& channel, std::string_view message) {
  const auto found = leases_.find(channel);
  if (found == leases_.end() || message.empty()) return;
  // Kept: the callee may close the lease.
  const auto worker = found->second.worker;
  const auto queue = found->second.queue;
  const auto& events = worker->events;
  if (message[0] == 'w') {
    if (events.work_ready) events.work_ready(queue);
  } else if (message[0] == 'c') {
    if (events.cancel_requested) events.cancel_requested(queue, std::string(message.substr(1)));
  } else if (message[0] == 'j') {
    ++found->second.pushes_came;
    if (!std::exchange(found->second.confirming, true)) {
      boost::asio::co_spawn(loop_, confirm_pushes(self_, channel), boost::asio::detached);
    }
    auto job = read_pushed(message);
    if (!events.on_job_pushed || !job) return;
    // It was enqueued in the step in which it was pushed, but the message may have waited here.
    auto now = job->enqueued_at;
    if (const auto latest = clock_.latest(clock_.local_now())) {
      now = std::max(now, time_point(std::chrono::duration_cast<milliseconds>(*latest)));
    }
    events.on_job_pushed(queue, *job, now);
  }
}

void redis_broker::forget_lease(const worker_lease& held) {
  for (const auto& queue : held.queues) {
    const auto channel = lease_channel({queue, held.token});
    if (leases_.erase(channel) > 0) connection_.unsubscribe(channel);
    settle_numbers_.erase(channel);
  }
  workers_.erase(held.token);
}

redis_broker::open_lease_state* redis_broker::state_of(const lease& held) {
  const auto found = leases_.find(lease_channel(held));
  return found == leases_.end() ? nullptr : &found->second;
}

// Says how many pushed jobs have come: from then on they count as tried, should this worker be lost. Not at once,
// but for all that come within a moment: most have ended by then, and whoever waits for their ends does not wait
// for this as well.
awaitable<void> redis_broker::confirm_pushes(std::weak_ptr<redis_broker*> in, std::string channel) {
  const auto loop = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(loop);
  for (;;) {
    timer.expires_after(confirm_pushes_after);
    co_await timer.async_wait(boost::asio::use_awaitable);
    auto self = in.lock();
    if (!self) co_return;
    const auto found = (*self)->leases_.find(channel);
    if (found == (*self)->leases_.end()) co_return;
    auto& state = found->second;
    const auto count = std::exchange(state.pushes_came, 0);
    state.confirming = count > 0;
    if (count == 0) co_return;
    std::vector<std::string> args = {"LTRIM", state.pushed_key, std::to_string(count), "-1"};
    auto request = (*self)->connection_.command(std::move(args));
    self.reset();
    try {
      co_await std::move(request);
    } catch (const broker_error&) {
      // The worker will find out by itself that there is no connection.
    }
  }
}

// Messages published meanwhile are lost, and the server may have been restarted without its data.
void redis_broker::reconnected() {
  server_.reconnected();
  enqueuer_->reconnected();
  waits_->reconnected();
  const auto workers = workers_;
  for (const auto& [token, one] : workers) {
    if (one->events.reconnected) one->events.reconnected();
  }
  const auto leases = leases_;
  for (const auto& [channel, state] : leases) {
    if (state.worker->events.work_ready) state.worker->events.work_ready(state.queue);
  }
}

// ---- the server

// Before anything is done with a queue.
awaitable<void> redis_broker::prepare(std::string queue) {
  check_queue(queue);
  co_await server_.check();
}

awaitable<std::vector<std::string>> redis_broker::warnings() {
  auto found = co_await server_.warnings();
  co_return found;
}

std::shared_ptr<broker> open_redis(std::string_view url, boost::asio::any_io_executor loop,
                                   open_options options) {
  auto settings = parse_url(url);
  quarq::redis::set_default_timeout(settings.connection, options.timeout);
  settings.connection.rests_when_idle = options.rests_when_idle;
  return std::make_shared<redis_broker>(std::move(settings), std::move(loop));
}

}  // namespace quarq::broker::redis
