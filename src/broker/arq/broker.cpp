#include "broker/arq/broker.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_set>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/msgpack.hpp>

#include "base/log.hpp"
#include "broker/arq/keys.hpp"
#include "broker/arq/replies.hpp"
#include "broker/arq/scripts.hpp"
#include "broker/checks.hpp"
#include "broker/redis_common/notes.hpp"
#include "broker/redis_common/replies.hpp"
#include "broker/redis_common/script_args.hpp"
#include "codecs/utf8.hpp"
#include "model/record.hpp"

namespace quarq::broker::arq {

using redis_common::item;
using redis_common::max_jobs_per_call;
using redis_common::whole_number;

namespace {

// Python's workers tell nobody: clients look, ever less often, until it is as often as arq's own do.
constexpr milliseconds between_looks_of_waiters{50}, longest_between_looks{500};
constexpr milliseconds keep_aborted = std::chrono::hours(1);  // arq's default

std::string lease_channel(const lease& held) {
  return own_prefix(held.queue) + "lease:" + held.token;
}

// Options that arq's keys have no place for.
void check_for_arq(const std::vector<new_job>& jobs) {
  for (const auto& job : jobs) {
    if (!codecs::is_utf8(job.id)) {
      throw usage_error(fmt::format("job \"{}\": the id is not UTF-8, which Python's arq workers can't read",
                                    codecs::printable(job.id, 300)));
    }
    if (job.priority != 5) {
      throw usage_error(fmt::format(
          "job \"{}\": priority {} is not possible in arq's queues, which know no priorities: leave "
          "it at 5, or use a queue of its own",
          job.id, job.priority));
    }
  }
}

// By the client that enqueued the job.
std::optional<milliseconds> keep_asked_for(std::string_view record) {
  try {
    const auto keep = model::decode_record(record).keep_result;
    return keep ? keep->duration() : std::nullopt;
  } catch (const decode_error&) {
    return std::nullopt;  // It need not be readable to be aborted.
  }
}

// The outcome of a job that Python's Job.abort() reached before it started.
std::string aborted_outcome(const claimed_job& job, time_point now) {
  std::string out;
  encoder map(out);
  map.map(6);
  map.text("t");
  map.integer(job.attempts);
  map.text("et");
  map.integer(job.enqueued_at.time_since_epoch().count());
  map.text("st");
  map.integer(now.time_since_epoch().count());
  map.text("ft");
  map.integer(now.time_since_epoch().count());
  map.text("error_type");
  map.text("quarq::cancelled");
  map.text("error");
  map.binary(fmt::format("job {} was aborted before it started", codecs::printable(job.id, 300)));
  return out;
}

std::string terms_of(const settlement& one) {
  if (codecs::is_utf8(one.id)) return settle_terms(one);
  // Python's clients ask for all results, and stumble over such a key.
  settlement not_kept;
  not_kept.kind = one.kind;
  not_kept.state = one.state;
  not_kept.delay = one.delay;
  return settle_terms(not_kept);
}

}  // namespace

arq_broker::arq_broker(arq_settings settings, boost::asio::any_io_executor loop)
    : settings_(std::move(settings)),
      loop_(loop),
      payloads_(settings_.codec),
      connection_(loop, settings_.redis),
      payload_connection_(loop, settings_.redis),
      server_(connection_, all_queues),
      calls_(connection_, own_prefix),
      set_by_operators_(calls_, server_, scripts().pause, scripts().set_mark),
      enqueuer_(std::make_shared<redis_common::enqueue_batcher>(loop, connection_, scripts().enqueue,
                                                                own_prefix, &payload_connection_)),
      waits_(std::make_shared<redis_common::result_waiters>(loop, connection_, scripts().wait, own_prefix,
                                                            between_looks_of_waiters, &payload_connection_,
                                                            longest_between_looks)) {
  connection_.on_reconnect([this] { reconnected(); });
}

arq_broker::~arq_broker() {
  enqueuer_->close();
  waits_->close();
  for (const auto& [channel, one] : leases_) one->poller->close();
}

// ---- for clients

awaitable<std::vector<accepted>> arq_broker::enqueue(std::string queue, std::vector<new_job> jobs) {
  check_jobs(jobs);
  check_for_arq(jobs);
  redis_common::check_sizes(jobs);
  co_await prepare(queue);
  if (jobs.empty()) co_return std::vector<accepted>();
  const auto key = key_of(queue);
  co_await server_.remember_queue(key);
  co_await ask_for_the_time();
  std::string waiter;
  if (jobs.size() == 1 && waits_->expects_wait(key) && jobs.front().id_is_fresh) {
    waiter = waits_->name();
    waits_->prefetched(key, jobs.front().id);
  }
  auto packed = pack(std::move(jobs));
  auto answers = co_await enqueuer_->enqueue(key, std::move(packed), std::move(waiter));
  co_return answers;
}

std::vector<redis_common::packed_job> arq_broker::pack(std::vector<new_job> jobs) {
  std::vector<redis_common::packed_job> packed;
  packed.reserve(jobs.size());
  for (auto& job : jobs) packed.push_back(pack(std::move(job), jobs.size() - packed.size() - 1));
  return packed;
}

redis_common::packed_job arq_broker::pack(new_job job, std::size_t more_to_come) {
  const double now = clock_.next_ms(server_clock::local_now(), more_to_come);
  // A negative delay is a moment in the past, with which a job comes before others.
  double score = now + static_cast<double>(job.delay.count());
  if (job.at) score = static_cast<double>(job.at->time_since_epoch().count());
  score = std::max(1.0, score);  // arq takes 0 for "not queued"
  if (job.record.empty()) throw usage_error(fmt::format("job \"{}\": the job payload is empty", job.id));
  arq_job written;
  written.record = job.record;
  written.enqueued_ms = static_cast<std::int64_t>(now);
  const auto due = static_cast<std::int64_t>(score);
  milliseconds lives(std::max<std::int64_t>(0, due - written.enqueued_ms));
  if (job.expires) {
    written.expires_at_ms = due + std::max<std::int64_t>(0, job.expires->count());
    lives = milliseconds(std::max<std::int64_t>(1, *written.expires_at_ms - written.enqueued_ms));
  } else {
    lives += settings_.expires_extra;
  }
  auto payload = payloads_.write_job(written);
  redis_common::check_record_size(job.id, payload.size());
  return {std::move(job.id), std::move(payload), enqueue_terms(job.id_is_fresh, lives, score),
          std::move(job.task)};
}

awaitable<std::optional<ended>> arq_broker::wait_ended(std::string queue, std::string id) {
  co_await prepare(queue);
  auto end = co_await waits_->wait(key_of(queue), std::move(id));
  std::optional<ended> answer;
  if (end) answer = read_ended(*end);
  co_return answer;
}

awaitable<std::vector<std::string>> arq_broker::notes(std::string queue, std::vector<std::string> ids) {
  co_await prepare(queue);
  const auto prefix = own_prefix(key_of(queue)) + "note:";
  auto all = co_await redis_common::fetch_notes(connection_, prefix, std::move(ids));
  co_return all;
}

awaitable<cancel_result> arq_broker::cancel(std::string queue, std::string id, std::string outcome,
                                            std::optional<milliseconds> keep) {
  co_await prepare(queue);
  const auto key = key_of(queue);
  // arq's result repeats the call.
  auto payload = co_await payload_of(id);
  known_job job;
  if (!payload.is_nil()) {
    job_details known;
    read_record(payload.text, known);
    if (const auto asked = keep_asked_for(known.record)) keep = asked;
    job = read_known(payload.text);
  }
  settlement end;
  end.id = id;
  end.state = job_state::cancelled;
  end.outcome = std::move(outcome);
  std::vector<std::string> args(1, id);
  args.push_back(cancel_end(keep, result_that_fits(end, job, key)));
  auto& over = connection_for(args.back().size());
  auto reply = co_await calls_.run_once_over(over, scripts().cancel, key, std::move(args));
  co_return redis_common::read_cancel_result(reply);
}

// ---- for workers

// With the keys of its queues, of which two names may mean the same one.
worker_lease arq_broker::with_keys(const worker_lease& held) const {
  worker_lease keyed(held.token, {});
  for (const auto& queue : held.queues) {
    auto key = key_of(queue);
    if (std::find(keyed.queues.begin(), keyed.queues.end(), key) == keyed.queues.end())
      keyed.queues.push_back(std::move(key));
  }
  return keyed;
}

std::shared_ptr<poller> arq_broker::make_poller(const std::string& token) {
  poller::callbacks callbacks;
  callbacks.work_ready = [this, token](const std::string& queue) {
    on_message(lease_channel({queue, token}), "w");
  };
  callbacks.abort_requested = [this, token](const std::string& queue, const std::string& id) {
    on_message(lease_channel({queue, token}), "c" + id);
  };
  return std::make_shared<poller>(loop_, connection_, token, settings_.poll, std::move(callbacks));
}

// What is known of the lease here, for each of its queues.
void arq_broker::make_parts(const worker_lease& held, const worker_lease& keyed, const lease_options& options,
                            worker_events events) {
  const auto looks = make_poller(held.token);
  const auto shared = std::make_shared<const worker_events>(std::move(events));
  for (const auto& key : keyed.queues) {
    const auto made = std::make_shared<arq_lease>();
    made->held = {key, held.token};
    made->queue = *std::find_if(held.queues.begin(), held.queues.end(),
                                [&](const auto& name) { return key_of(name) == key; });
    made->duration = options.duration;
    made->events = shared;
    made->poller = looks;
    if (options.says_begin_from)
      made->says_begin_from = std::to_string(std::max(0, *options.says_begin_from));
    leases_[lease_channel(made->held)] = made;
  }
}

// However many queues there are, it takes a few round trips.
awaitable<void> arq_broker::open_lease(worker_lease held, lease_options options, worker_events events) {
  for (const auto& queue : held.queues) co_await prepare(queue);
  check_lease(held);
  const auto keyed = with_keys(held);
  co_await server_.remember_queues(keyed.queues);
  make_parts(held, keyed, options, std::move(events));
  try {
    std::vector<awaitable<void>> subscriptions;
    for (const auto& key : keyed.queues) {
      const auto channel = lease_channel({key, held.token});
      std::function<void(std::string_view)> receive = [this, channel](std::string_view message) {
        on_message(channel, message);
      };
      subscriptions.push_back(connection_.subscribe(channel, std::move(receive)));
    }
    co_await gather(std::move(subscriptions));
    std::vector<std::string> args = {held.token, std::to_string(options.duration.count()),
                                     options.worker_info, options.announcement};
    co_await calls_.run_for(scripts().open_lease, keyed, std::move(args));
  } catch (...) {
    forget_lease(keyed);
    throw;
  }
  std::vector<std::shared_ptr<arq_lease>> parts;
  for (const auto& key : keyed.queues) {
    if (auto here = lease_of({key, held.token})) parts.push_back(std::move(here));
  }
  if (parts.empty()) co_return;
  parts.front()->poller->start();
  co_await write_health(std::move(parts));
}

awaitable<renewal> arq_broker::renew(worker_lease held, lease_options options) {
  for (const auto& queue : held.queues) co_await prepare(queue);
  check_lease(held);
  auto keyed = with_keys(held);
  const auto turn = renewals_[held.token]++ % keyed.queues.size();
  std::rotate(keyed.queues.begin(), keyed.queues.begin() + static_cast<std::ptrdiff_t>(turn),
              keyed.queues.end());
  std::vector<std::string> args = {held.token, std::to_string(options.duration.count()), options.worker_info,
                                   health_key_of(keyed.queues.front())};
  const auto dead = settings_.dead.args();
  args.insert(args.end(), dead.begin(), dead.end());
  auto reply = co_await calls_.run_for(scripts().renew, keyed, std::move(args));
  if (reply.is_nil()) {
    forget_lease(keyed);
    co_return renewal();
  }
  settings_.dead.log_removed(name_of(keyed.queues.front()), item(reply, 1).integer);
  auto answer = read_renewal(reply, keyed);
  std::vector<std::shared_ptr<arq_lease>> due;
  for (const auto& key : keyed.queues) {
    auto here = lease_of({key, held.token});
    if (here && std::chrono::steady_clock::now() >= here->health_due) due.push_back(std::move(here));
  }
  if (!due.empty()) co_await write_health(std::move(due));
  co_return answer;
}

renewal arq_broker::read_renewal(const quarq::redis::reply& reply, const worker_lease& held) const {
  renewal answer;
  answer.held = true;
  const auto named = [&](const std::string& key) {
    const auto here = lease_of({key, held.token});
    return here ? here->queue : name_of(key);
  };
  if (item(reply, 0).integer == 1) answer.work_ready.push_back(named(held.queues.front()));
  if (item(reply, 0).integer == 2) answer.paused.push_back(named(held.queues.front()));
  answer.workers = static_cast<std::size_t>(std::max<std::int64_t>(1, item(reply, 2).integer));
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::size_t i = 3; i < reply.items.size(); ++i) {
    const auto& wanted = reply.items[i];
    const auto& prefix = item(wanted, 0).text;
    const auto key = std::find_if(held.queues.begin(), held.queues.end(),
                                  [&](const auto& one) { return own_prefix(one) == prefix; });
    if (key == held.queues.end()) continue;
    for (std::size_t k = 1; k < wanted.items.size(); ++k) {
      const auto& id = wanted.items[k].text;
      if (seen.insert({prefix, id}).second) answer.cancel_requests.push_back({named(*key), id});
    }
  }
  return answer;
}

// As arq's workers do now and then, for `arq --check`. A lease is not in danger without.
awaitable<void> arq_broker::write_health(std::vector<std::shared_ptr<arq_lease>> of) {
  const auto lives = settings_.health_check_interval + std::chrono::seconds(1);
  worker_lease written({}, {});
  std::vector<std::string> args(1, std::to_string(lives.count()));
  for (const auto& part : of) {
    part->health_due = std::chrono::steady_clock::now() + settings_.health_check_interval;
    written.queues.push_back(part->held.queue);
    args.push_back(health_key_of(part->held.queue));
    args.push_back(part->health(std::chrono::system_clock::now()));
  }
  try {
    auto records = co_await calls_.run_for(scripts().health, written, std::move(args));
    for (std::size_t i = 0; i < of.size(); ++i) of[i]->log_health(item(records, i).text);
  } catch (const broker_error& e) {
    base::log().warn("queue {}: could not write the health record: {}", name_of(of.front()->held.queue),
                     e.what());
  }
}

awaitable<void> arq_broker::close_lease(worker_lease held) {
  for (const auto& queue : held.queues) co_await prepare(queue);
  check_lease(held);
  const auto keyed = with_keys(held);
  forget_lease(keyed);
  std::vector<std::string> args(1, held.token);
  for (const auto& key : keyed.queues) args.push_back(health_key_of(key));
  co_await calls_.run_for(scripts().close_lease, keyed, std::move(args));
  for (const auto& key : keyed.queues) settle_numbers_.erase(lease_channel({key, held.token}));
}

awaitable<claim_result> arq_broker::claim(lease held, std::size_t max) {
  co_await prepare(held.queue);
  held.queue = key_of(held.queue);
  claim_result result;
  auto there = left::some;
  while (there == left::some && result.jobs.size() < max) {
    const auto some = std::min(max_jobs_per_call, max - result.jobs.size());
    there = co_await claim_some(held, some, result);
  }
  result.paused = there == left::paused;
  // Of a paused queue nobody but quarq tells, which says so.
  if (const auto here = lease_of(held))
    here->poller->claimed(held.queue, result.jobs.size(), there == left::nothing);
  co_return result;
}

awaitable<arq_broker::left> arq_broker::claim_some(lease held, std::size_t max, claim_result& into) {
  const auto here = lease_of(held);
  std::vector<std::string> args(1, held.token);
  args.push_back(std::to_string(max));
  args.push_back(std::to_string(here ? here->duration.count() : lease_options().duration.count()));
  args.push_back(here ? here->says_begin_from : "");
  const auto asked = server_clock::local_now();
  auto reply = co_await calls_.run(scripts().claim, held.queue, std::move(args));
  if (reply.is_nil()) {
    throw broker_error(
        fmt::format("lease lost: \"{}\" is not held in queue \"{}\"", held.token, name_of(held.queue)));
  }
  into.now = time_point(milliseconds(item(reply, 0).integer));
  into.next_due.reset();
  if (item(reply, 1).integer >= 0) into.next_due = milliseconds(item(reply, 1).integer);
  // The server's reply is cut to whole milliseconds.
  clock_.heard(into.now.time_since_epoch(), asked - milliseconds(1), server_clock::local_now());
  co_await fetch_large_payloads(reply);
  const auto count = item(reply, 2).items.size();
  std::vector<taken> all;
  all.reserve(count);
  bool raise = false, aborted = false;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(read_taken(reply, i, into.now));
    if (here) here->jobs[all.back().job.id] = known(all.back());
    raise = raise || all.back().set_attempts_to > 0;
    aborted = aborted || all.back().aborted;
  }
  if (raise) co_await set_attempts(held, all);
  if (aborted) co_await end_aborted(held, all, into.now);
  for (auto& one : all) {
    if (!one.aborted) into.jobs.push_back(std::move(one.job));
  }
  if (here) here->poller->runs(held.queue, here->jobs.size());
  const auto more = item(reply, 8).integer;
  co_return more == 0 ? left::nothing : more == 1 ? left::some : left::paused;
}

awaitable<quarq::redis::reply> arq_broker::payload_of(std::string id) {
  const auto key = std::string(job_prefix) + id;
  std::vector<std::string> ask_size = {"STRLEN", key}, ask = {"GET", key};
  auto size = co_await connection_.command(std::move(ask_size));
  auto& over = connection_for(static_cast<std::size_t>(size.integer));
  auto payload = co_await over.command(std::move(ask));
  co_return payload;
}

// Those for which the claim gives a size only; nil if they are gone by now.
awaitable<void> arq_broker::fetch_large_payloads(quarq::redis::reply& claimed) {
  if (claimed.items.size() < 4) co_return;
  const auto& ids = claimed.items[2].items;
  auto& payloads = claimed.items[3].items;
  for (std::size_t i = 0; i < payloads.size() && i < ids.size(); ++i) {
    if (payloads[i].type != quarq::redis::reply::kind::integer) continue;
    std::vector<std::string> args = {"GET", std::string(job_prefix) + ids[i].text};
    auto payload = co_await payload_connection_.command(std::move(args));
    payloads[i] = std::move(payload);
  }
}

known_job arq_broker::known(const taken& one) {
  known_job job;
  (one.given.empty() ? job.record : job.given) = one.given.empty() ? one.job.record : one.given;
  return job;
}

// Whatever stands there, it is one job: one that can't be run is given to the worker as such.
arq_broker::taken arq_broker::read_taken(const quarq::redis::reply& answer, std::size_t i, time_point now) {
  taken read;
  auto& job = read.job;
  job.id = item(item(answer, 2), i).text;
  const auto& payload = item(item(answer, 3), i);
  job.attempts = static_cast<int>(whole_number(item(item(answer, 4), i)));
  if (const auto& losses = item(answer, 9).items; i < losses.size())
    job.losses = static_cast<int>(whole_number(losses[i]));
  if (const auto& tries = item(answer, 10).items; i < tries.size()) job.last_outcome = tries[i].text;
  const auto score = item(item(answer, 5), i).text;
  job.due_at = moment_of_score(score);
  const auto& first_due = item(answer, 6).items;
  if (i < first_due.size() && !first_due[i].is_nil()) job.due_at = moment_of_score(first_due[i].text);
  job.enqueued_at = job.due_at;
  try {
    if (payload.is_nil()) {
      job.record = unknown_record();
      job.expires_at = now - milliseconds(1);
    } else {
      auto in = payloads_.read_job(payload.text);
      job.record = std::move(in.record);
      read.given = std::move(in.given);
      job.enqueued_at = time_point(milliseconds(in.enqueued_ms));
      if (in.expires_at_ms) job.expires_at = time_point(milliseconds(*in.expires_at_ms));
      if (in.try_at_least > job.attempts) job.attempts = read.set_attempts_to = in.try_at_least;
    }
  } catch (const decode_error& e) {
    job.record = unreadable_record(e.what());
  }
  const char* flaw = nullptr;
  if (score == "0") flaw = "its score in the queue is 0, which arq takes for \"not queued\"";
  if (!codecs::is_utf8(job.id)) flaw = "its id is not UTF-8";
  if (flaw) {
    job.record = unreadable_record(flaw);
    read.given.clear();
  }
  // One that was asked for before this job came was for another of its id.
  const auto& aborts = item(answer, 7).items;
  if (i < aborts.size() && !aborts[i].is_nil()) {
    const auto at = moment_of_score(aborts[i].text);
    if (at >= job.enqueued_at) read.aborted = at;
  }
  return read;
}

awaitable<void> arq_broker::set_attempts(lease held, std::vector<taken>& all) {
  std::vector<std::string> args(1, held.token);
  for (const auto& one : all) {
    if (one.set_attempts_to == 0) continue;
    args.push_back(one.job.id);
    args.push_back(std::to_string(one.set_attempts_to));
  }
  co_await calls_.run(scripts().set_attempts, held.queue, std::move(args));
}

awaitable<void> arq_broker::end_aborted(lease held, std::vector<taken>& all, time_point now) {
  const auto here = lease_of(held);
  std::vector<settlement> batch;
  for (const auto& one : all) {
    if (!one.aborted) continue;
    auto& end = batch.emplace_back();
    end.id = one.job.id;
    end.state = job_state::cancelled;
    end.outcome = aborted_outcome(one.job, now);
    end.keep = keep_aborted;
    end.keep_asked_for = keep_asked_for(one.job.record);
    if (here && here->events->aborted_unstarted) here->events->aborted_unstarted(one.job, now);
  }
  co_await settle_in_parts(held, std::move(batch));
}

awaitable<std::vector<bool>> arq_broker::settle(lease held, std::vector<settlement> batch) {
  redis_common::check_sizes(batch);
  co_await prepare(held.queue);
  held.queue = key_of(held.queue);
  auto answers = co_await settle_in_parts(held, std::move(batch));
  co_return answers;
}

awaitable<std::vector<bool>> arq_broker::settle_in_parts(lease held, std::vector<settlement> batch) {
  std::vector<std::string> results;
  std::vector<std::size_t> sizes;
  for (const auto& one : batch) {
    results.push_back(one.kind == settlement::what::end ? result_of(held, one) : one.outcome);
    sizes.push_back(results.back().size());
  }
  std::vector<bool> answers(batch.size(), false);
  auto parts = redis_common::split_settlements(batch, sizes);
  for (auto& part : parts) co_await settle_some(held, batch, results, std::move(part), answers);
  const auto prefix = own_prefix(held.queue) + "note:";
  co_await redis_common::forget_notes(connection_, prefix, batch, answers);
  co_return answers;
}

awaitable<void> arq_broker::keep_notes(lease held, std::vector<job_note> notes) {
  co_await prepare(held.queue);
  auto args = redis_common::notes_args(held.token, std::move(notes));
  co_await calls_.run(scripts().keep_notes, key_of(held.queue), std::move(args));
}

awaitable<void> arq_broker::settle_some(lease held, const std::vector<settlement>& batch,
                                        std::vector<std::string>& results, std::vector<std::size_t> which,
                                        std::vector<bool>& answers) {
  std::vector<std::string> args;
  args.reserve(3 + 3 * which.size());
  const auto channel = lease_channel(held);
  const auto number = settle_numbers_[channel].next();
  args.push_back(held.token);
  args.push_back(number);
  args.push_back(settle_numbers_[channel].take_answered());
  auto& over = connection_for(results[which.front()].size());
  for (const auto i : which) {
    args.push_back(batch[i].id);
    args.push_back(terms_of(batch[i]));
    args.push_back(std::move(results[i]));
  }
  auto reply = co_await calls_.run_over(over, scripts().settle, held.queue, std::move(args));
  settle_numbers_[channel].answered(number);
  const auto here = lease_of(held);
  for (std::size_t k = 0; k < which.size(); ++k) {
    const bool was_held = reply.text.empty() || reply.text.at(k) == '1';
    answers[which[k]] = was_held;
    if (!here || batch[which[k]].kind == settlement::what::begin) continue;
    here->jobs.erase(batch[which[k]].id);
    if (was_held) here->count(batch[which[k]]);
  }
  if (here) here->poller->runs(held.queue, here->jobs.size());
}

std::string arq_broker::result_of(const lease& held, const settlement& one) {
  if (const auto here = lease_of(held)) {
    const auto found = here->jobs.find(one.id);
    if (found != here->jobs.end()) return result_that_fits(one, found->second, held.queue);
  }
  return result_that_fits(one, {}, held.queue);
}

// A result repeats the call. The outcome matters more, where there is no room for both.
std::string arq_broker::result_that_fits(const settlement& one, const known_job& job,
                                         const std::string& key) {
  auto result = write_result(payloads_, one, job, key);
  if (result.size() > redis_common::max_stored_payload) result = write_result(payloads_, one, {}, key);
  redis_common::check_outcome_size(one.id, result.size());
  return result;
}

awaitable<void> arq_broker::reconcile(lease held, std::vector<std::string> known) {
  co_await prepare(held.queue);
  held.queue = key_of(held.queue);
  const auto here = lease_of(held);
  if (here) {
    const std::unordered_set<std::string_view> stay(known.begin(), known.end());
    std::erase_if(here->jobs, [&stay](const auto& one) { return !stay.contains(one.first); });
  }
  std::vector<std::string> args(1, held.token);
  args.push_back(std::to_string(here ? here->duration.count() : lease_options().duration.count()));
  args.insert(args.end(), std::make_move_iterator(known.begin()), std::make_move_iterator(known.end()));
  co_await calls_.run(scripts().reconcile, held.queue, std::move(args));
}

// ---- events

std::shared_ptr<arq_lease> arq_broker::lease_of(const lease& held) const {
  const auto found = leases_.find(lease_channel(held));
  return found == leases_.end() ? nullptr : found->second;
}

void arq_broker::on_message(const std::string& channel, std::string_view message) {
  const auto found = leases_.find(channel);
  if (found == leases_.end() || message.empty()) return;
  // Kept: the callee may close the lease.
  const auto here = found->second;
  const auto& events = *here->events;
  if (message[0] == 'w') {
    here->poller->woken(here->held.queue);
    if (events.work_ready) events.work_ready(here->queue);
  } else if (message[0] == 'c') {
    if (events.cancel_requested) events.cancel_requested(here->queue, std::string(message.substr(1)));
  }
}

void arq_broker::forget_lease(const worker_lease& held) {
  renewals_.erase(held.token);
  for (const auto& key : held.queues) {
    const lease part{key, held.token};
    settle_numbers_.erase(lease_channel(part));
    const auto here = lease_of(part);
    if (!here) continue;
    here->poller->close();
    leases_.erase(lease_channel(part));
    connection_.unsubscribe(lease_channel(part));
  }
}

// Messages published meanwhile are lost, and the server may have been restarted without its data, or be
// another one.
void arq_broker::reconnected() {
  server_.reconnected();
  clock_.forget();
  enqueuer_->reconnected();
  waits_->reconnected();
  const auto leases = leases_;
  std::set<const worker_events*> notified;
  for (const auto& [channel, one] : leases) {
    if (notified.insert(one->events.get()).second && one->events->reconnected) one->events->reconnected();
  }
  for (const auto& [channel, one] : leases) {
    if (one->events->work_ready) one->events->work_ready(one->queue);
  }
}

// ---- the server

std::string arq_broker::health_key_of(const std::string& queue_key) const {
  const bool is_asked_for = !settings_.health_check_key.empty() && queue_key == settings_.default_queue;
  return is_asked_for ? settings_.health_check_key : health_key(queue_key);
}

std::string arq_broker::key_of(const std::string& queue) const {
  return queue == "default" ? settings_.default_queue : queue;
}

std::string arq_broker::name_of(const std::string& key) const {
  return key == settings_.default_queue ? "default" : key;
}

quarq::redis::connection& arq_broker::connection_for(std::size_t bytes) {
  return bytes > redis_common::max_shared_payload ? payload_connection_ : connection_;
}

// Before anything is done with a queue.
awaitable<void> arq_broker::prepare(std::string queue) {
  check_queue(queue);
  check_queue_key(key_of(queue));
  co_await server_.check();
}

// When jobs are due is written by clients; it should be the server's time all the same.
awaitable<void> arq_broker::ask_for_the_time() {
  const auto asked = server_clock::local_now();
  if (!clock_.is_stale(asked)) co_return;
  std::vector<std::string> args(1, "TIME");
  auto time = co_await connection_.command(std::move(args));
  const auto seconds = std::chrono::seconds(whole_number(item(time, 0)));
  clock_.heard(seconds + std::chrono::microseconds(whole_number(item(time, 1))), asked,
               server_clock::local_now());
}

awaitable<std::string> arq_broker::about_server() {
  auto summary = co_await server_.summary();
  co_return summary;
}

awaitable<std::vector<std::string>> arq_broker::warnings() {
  auto found = co_await server_.warnings();
  co_return found;
}

std::shared_ptr<broker> open_arq(std::string_view url, boost::asio::any_io_executor loop,
                                 open_options options) {
  auto settings = parse_url(url);
  quarq::redis::set_default_timeout(settings.redis, options.timeout);
  settings.redis.rests_when_idle = options.rests_when_idle;
  return std::make_shared<arq_broker>(std::move(settings), std::move(loop));
}

}  // namespace quarq::broker::arq
