#include "support/scripted_broker.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include <quarq/errors.hpp>

namespace quarq::test {

namespace b = quarq::broker;

namespace {

// A quarter of a second past a minute, so that a test that takes a time for a whole second fails.
constexpr b::time_point beginning{std::chrono::milliseconds(1'700'000'040'250)};

const char* name_of(operation what) {
  switch (what) {
    case operation::enqueue:
      return "enqueue";
    case operation::wait_ended:
      return "wait_ended";
    case operation::cancel:
      return "cancel";
    case operation::open_lease:
      return "open_lease";
    case operation::renew:
      return "renew";
    case operation::close_lease:
      return "close_lease";
    case operation::claim:
      return "claim";
    case operation::settle:
      return "settle";
    case operation::reconcile:
      return "reconcile";
    case operation::inspect:
      return "inspect";
    case operation::notes:
      return "notes";
    case operation::requeue:
      return "requeue";
    case operation::add_stats:
      return "add_stats";
  }
  return "?";
}

template <class Jobs>
std::vector<std::string> ids_of(const Jobs& jobs) {
  std::vector<std::string> ids;
  for (const auto& job : jobs) ids.push_back(job.id);
  return ids;
}

std::vector<std::string> one(const std::string& id) {
  return std::vector<std::string>(1, id);
}

// Waits in a list of events until one that is set there ends the wait.
awaitable<void> wait_in(std::list<async::auto_reset_event>& list, boost::asio::any_io_executor loop) {
  struct place {
    place(std::list<async::auto_reset_event>& l, boost::asio::any_io_executor e) : list(l) {
      at = list.emplace(list.end(), std::move(e));
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() { list.erase(at); }
    std::list<async::auto_reset_event>& list;
    std::list<async::auto_reset_event>::iterator at;
  };
  const place here(list, std::move(loop));
  co_await here.at->wait();
}

}  // namespace

// ---- the script

void scripted_broker::resume(operation what) {
  script_[what].is_stalled = false;
  for (auto& waits : script_[what].stalled) waits.set();
}

void scripted_broker::lose_leases() {
  for (auto& [queue, jobs] : queues_) {
    for (auto& [id, job] : jobs) job.facts.losses += job.facts.state == job_state::running;
  }
  for (const auto& [token, lease] : std::exchange(leases_, {})) hand_back_all(token);
}

void scripted_broker::request_cancel_at_renewal(const std::string& queue, const std::string& id) {
  for (auto& [token, lease] : leases_) {
    if (lease.serves(queue)) lease.to_cancel.push_back({queue, id});
  }
}

const b::worker_events& scripted_broker::events(const std::string& queue) const {
  const auto& latest = leases_.at(latest_token_);
  if (latest.serves(queue)) return latest.events;
  for (const auto& [token, lease] : leases_) {
    if (lease.serves(queue)) return lease.events;
  }
  throw std::out_of_range("no lease of queue " + queue);
}

bool scripted_broker::held_lease::serves(const std::string& queue) const {
  return std::find(queues.begin(), queues.end(), queue) != queues.end();
}

std::vector<scripted_broker::call> scripted_broker::calls(operation what) const {
  std::vector<call> found;
  for (const auto& c : calls_) {
    if (c.what == what) found.push_back(c);
  }
  return found;
}

// Every operation begins here.
awaitable<void> scripted_broker::called(call c) {
  auto& s = script_[c.what];
  calls_.push_back(c);
  while (s.is_stalled) co_await wait_in(s.stalled, loop_);
  if (s.failures == 0) co_return;
  --s.failures;
  throw broker_error(std::string("scripted to fail: ") + name_of(c.what), s.why);
}

// ---- the store

b::time_point scripted_broker::now() const {
  return beginning + std::chrono::floor<milliseconds>(clock_.now() - manual_clock::beginning);
}

void scripted_broker::put(const std::string& queue, b::job_details job) {
  stored_job stored;
  stored.first_due = job.due_at.value_or(now());
  if (!job.enqueued_at) job.enqueued_at = now();
  stored.place = ++last_place_;
  const auto id = job.id;
  stored.facts = std::move(job);
  queues_[queue].insert_or_assign(id, std::move(stored));
}

const b::job_details* scripted_broker::find(const std::string& queue, const std::string& id) const {
  const auto jobs = queues_.find(queue);
  if (jobs == queues_.end()) return nullptr;
  const auto found = jobs->second.find(id);
  if (found == jobs->second.end()) return nullptr;
  const auto& job = found->second;
  if (is_final(job.facts.state) && job.kept_until && *job.kept_until <= now()) return nullptr;
  return &job.facts;
}

const b::job_details& scripted_broker::at(const std::string& queue, const std::string& id) const {
  const auto* job = find(queue, id);
  if (job == nullptr) throw std::out_of_range("there is no job " + id);
  return *job;
}

void scripted_broker::check_held(const b::lease& held) const {
  if (!leases_.contains(held.token)) throw broker_error("lease lost");
}

void scripted_broker::forget_kept(jobs_by_id& jobs) const {
  std::erase_if(jobs, [&](const auto& entry) {
    const auto& job = entry.second;
    return is_final(job.facts.state) && job.kept_until && *job.kept_until <= now();
  });
}

void scripted_broker::ready_due(jobs_by_id& jobs) const {
  for (auto& [id, job] : jobs) {
    if (job.facts.state == job_state::deferred && *job.facts.due_at <= now()) {
      job.facts.state = job_state::queued;
    }
  }
}

void scripted_broker::hand_back(stored_job& job) {
  job.facts.state = job_state::queued;
  job.facts.holder.clear();
  --job.facts.attempts;
  job.place = --first_place_;
}

void scripted_broker::hand_back_all(const std::string& token) {
  for (auto& [queue, jobs] : queues_) {
    bool any = false;
    for (auto& [id, job] : jobs) {
      if (job.facts.holder != token) continue;
      hand_back(job);
      any = true;
    }
    if (any) tell_ready(queue);
  }
}

void scripted_broker::end(stored_job& job, job_state state, std::string outcome,
                          std::optional<milliseconds> keep) {
  job.facts.state = state;
  job.facts.holder.clear();
  job.facts.outcome = std::move(outcome);
  job.kept_until.reset();
  if (keep && state != job_state::dead) job.kept_until = now() + *keep;
  for (auto& waits : end_waiters_) waits.set();
}

void scripted_broker::apply(const std::string& queue, stored_job& job, const b::settlement& s) {
  if (s.kind == b::settlement::what::begin) return;
  if (s.kind == b::settlement::what::hand_back) {
    const auto by = job.facts.holder;
    hand_back(job);
    if (s.delay > milliseconds::zero()) {
      job.facts.state = job_state::deferred;
      job.facts.due_at = now() + s.delay;
    }
    tell_ready(queue, by);
  } else if (s.kind == b::settlement::what::retry) {
    job.facts.state = job_state::deferred;
    job.facts.holder.clear();
    job.facts.due_at = now() + s.delay;
    tell_ready(queue);
  } else {
    end(job, s.state, s.outcome, s.keep);
  }
}

void scripted_broker::tell_ready(const std::string& queue, const std::string& but) {
  for (auto& [token, lease] : leases_) {
    if (lease.serves(queue) && token != but && lease.events.work_ready) lease.events.work_ready(queue);
  }
}

// ---- for clients

awaitable<std::vector<b::accepted>> scripted_broker::enqueue(std::string queue,
                                                             std::vector<b::new_job> jobs) {
  call c{operation::enqueue, queue, 0, ids_of(jobs)};
  co_await called(std::move(c));
  std::vector<b::accepted> answers;
  auto& stored = queues_[queue];
  forget_kept(stored);
  for (auto& job : jobs) {
    if (stored.contains(job.id)) {
      answers.push_back(b::accepted::duplicate);
      continue;
    }
    b::job_details facts;
    facts.id = job.id;
    facts.record = std::move(job.record);
    facts.priority = job.priority;
    facts.enqueued_at = now();
    facts.due_at = std::max(now(), job.at.value_or(now() + job.delay));
    if (job.expires) facts.expires_at = *facts.due_at + *job.expires;
    facts.state = *facts.due_at > now() ? job_state::deferred : job_state::queued;
    put(queue, std::move(facts));
    answers.push_back(b::accepted::yes);
  }
  tell_ready(queue);
  co_return answers;
}

awaitable<std::optional<b::ended>> scripted_broker::wait_ended(std::string queue, std::string id) {
  call c{operation::wait_ended, queue, 0, one(id)};
  co_await called(std::move(c));
  while (true) {
    const auto* job = find(queue, id);
    if (job == nullptr) co_return std::nullopt;
    if (is_final(job->state)) {
      b::ended answer{job->state, job->outcome};
      co_return answer;
    }
    co_await wait_in(end_waiters_, loop_);
  }
}

awaitable<b::cancel_result> scripted_broker::cancel(std::string queue, std::string id, std::string outcome,
                                                    std::optional<milliseconds> keep) {
  call c{operation::cancel, queue, 0, one(id)};
  co_await called(std::move(c));
  if (find(queue, id) == nullptr) co_return b::cancel_result::not_found;
  auto& job = queues_.at(queue).at(id);
  if (is_final(job.facts.state)) co_return b::cancel_result::ended;
  if (job.facts.state != job_state::running) {
    end(job, job_state::cancelled, std::move(outcome), keep);
    co_return b::cancel_result::cancelled;
  }
  leases_.at(job.facts.holder).events.cancel_requested(queue, id);
  co_return b::cancel_result::requested;
}

// ---- for workers

awaitable<void> scripted_broker::open_lease(b::worker_lease held, b::lease_options terms,
                                            b::worker_events events) {
  call c{operation::open_lease, held.queues.front()};
  co_await called(std::move(c));
  latest_token_ = held.token;
  leases_[held.token] = held_lease{
      held.queues, std::move(terms.worker_info), std::move(terms.announcement), std::move(events), {}};
}

awaitable<b::renewal> scripted_broker::renew(b::worker_lease held, b::lease_options terms) {
  call c{operation::renew, held.queues.front()};
  co_await called(std::move(c));
  b::renewal answer;
  const auto found = leases_.find(held.token);
  answer.held = found != leases_.end();
  if (answer.held) {
    found->second.worker_info = std::move(terms.worker_info);
    answer.cancel_requests = std::exchange(found->second.to_cancel, {});
  }
  for (const auto& queue : held.queues) {
    auto& jobs = queues_[queue];
    ready_due(jobs);
    const bool ready = std::any_of(jobs.begin(), jobs.end(), [](const auto& entry) {
      return entry.second.facts.state == job_state::queued;
    });
    if (ready) (paused_.contains(queue) ? answer.paused : answer.work_ready).push_back(queue);
  }
  co_return answer;
}

awaitable<void> scripted_broker::close_lease(b::worker_lease held) {
  call c{operation::close_lease, held.queues.front()};
  co_await called(std::move(c));
  leases_.erase(held.token);
  hand_back_all(held.token);
}

awaitable<b::claim_result> scripted_broker::claim(b::lease held, std::size_t max) {
  call c{operation::claim, held.queue, max};
  co_await called(std::move(c));
  check_held(held);
  auto& jobs = queues_[held.queue];
  ready_due(jobs);
  std::vector<stored_job*> ready;
  b::claim_result answer;
  answer.now = now();
  answer.paused = paused_.contains(held.queue);
  if (answer.paused) co_return answer;
  for (auto& [id, job] : jobs) {
    if (job.facts.state == job_state::queued) ready.push_back(&job);
    if (job.facts.state != job_state::deferred) continue;
    const milliseconds left = *job.facts.due_at - now();
    answer.next_due = std::min(left, answer.next_due.value_or(left));
  }
  std::sort(ready.begin(), ready.end(), [](const stored_job* x, const stored_job* y) {
    return std::pair(-x->facts.priority, x->place) < std::pair(-y->facts.priority, y->place);
  });
  if (ready.size() > max) ready.resize(max);
  for (auto* job : ready) {
    auto& f = job->facts;
    f.state = job_state::running;
    f.holder = held.token;
    ++f.attempts;
    answer.jobs.push_back({f.id, f.record, f.attempts, f.losses, f.priority, *f.enqueued_at, job->first_due,
                           f.expires_at, f.outcome});
  }
  if (std::exchange(loses_answer_, false)) throw broker_error("scripted to lose the answer");
  co_return answer;
}

awaitable<std::vector<bool>> scripted_broker::settle(b::lease held, std::vector<b::settlement> batch) {
  call c{operation::settle, held.queue, 0, ids_of(batch)};
  co_await called(std::move(c));
  if (unacceptable_ && std::any_of(batch.begin(), batch.end(), unacceptable_)) {
    if (refusal_) std::rethrow_exception(refusal_);
    throw broker_error("scripted to refuse", broker_error::reason::refused);
  }
  std::vector<bool> answers;
  auto& jobs = queues_[held.queue];
  for (auto& s : batch) {
    const auto found = jobs.find(s.id);
    const bool is_held = !refuses_ && found != jobs.end() && found->second.facts.holder == held.token;
    answers.push_back(is_held);
    if (!is_held) continue;
    apply(held.queue, found->second, s);
    settled_.push_back(std::move(s));
  }
  co_return answers;
}

awaitable<void> scripted_broker::reconcile(b::lease held, std::vector<std::string> known) {
  call c{operation::reconcile, held.queue, 0, known};
  co_await called(std::move(c));
  check_held(held);
  for (auto& [id, job] : queues_[held.queue]) {
    const bool is_known = std::find(known.begin(), known.end(), id) != known.end();
    if (job.facts.holder == held.token && !is_known) hand_back(job);
  }
}

}  // namespace quarq::test
