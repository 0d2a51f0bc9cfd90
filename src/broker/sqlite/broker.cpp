#include "broker/sqlite/broker.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <span>

#include <quarq/errors.hpp>

#include "broker/checks.hpp"
#include "broker/sqlite/settable_clock.hpp"
#include "broker/sqlite/url.hpp"

namespace quarq::broker::sqlite {

namespace {

using kind = operation::kind;
using nothing = char;  // function_operation needs something to hold

/// The wait for a job's end: it is answered by the job's state when it is asked, or else by its end.
class wait_operation final : public operation, public std::enable_shared_from_this<wait_operation> {
 public:
  wait_operation(std::string queue, std::string id)
      : operation(kind::writes, 1), queue_(std::move(queue)), id_(std::move(id)), number_(++last_number_) {}

  void run(transaction& tx) override {
    auto answer = tx.tables.await_end(queue_, id_, tx.now);
    alive_ = !answer.over;
    result = std::move(answer.outcome);
    if (alive_) last_published_ = tx.tables.last_published();
  }

  next committed(subscriptions& all) override {
    if (!alive_) return next::answer;
    all.wait(number_, queue_, id_, last_published_,
             [self = shared_from_this()](const std::optional<ended>& outcome, const failure* why) {
               self->result = outcome;
               if (why) self->error = *why;
               self->answer();
             });
    return next::answer_later;
  }

  /// Takes the wait back, whether it was answered or not.
  std::shared_ptr<operation> forgetting() const {
    auto forget =
        std::make_shared<function_operation<nothing>>(kind::reads, 0, [](transaction&) { return nothing(); });
    forget->then = [queue = queue_, id = id_, number = number_](subscriptions& all, nothing) {
      all.forget_wait(number, queue, id);
    };
    return forget;
  }

  std::optional<ended> result;

 private:
  static inline std::atomic<std::uint64_t> last_number_{0};
  std::string queue_, id_;
  std::uint64_t number_;
  bool alive_ = false;
  std::int64_t last_published_ = 0;
};

/// Forgets a wait whose coroutine was cancelled or destroyed.
class wait_guard {
 public:
  wait_guard(std::shared_ptr<writer_thread> where, std::shared_ptr<async::loop_handle> loop,
             std::shared_ptr<wait_operation> wait)
      : writer_(std::move(where)), loop_(std::move(loop)), wait_(std::move(wait)) {}
  wait_guard(const wait_guard&) = delete;
  wait_guard& operator=(const wait_guard&) = delete;
  ~wait_guard() {
    if (answered || writer_->is_forked_copy()) return;
    auto forget = wait_->forgetting();
    forget->loop = loop_;
    writer_->submit(std::move(forget));
  }

  bool answered = false;

 private:
  std::shared_ptr<writer_thread> writer_;
  std::shared_ptr<async::loop_handle> loop_;
  std::shared_ptr<wait_operation> wait_;
};

// Jobs that come, or die again, while these work are left alone: they have higher numbers.

operation_in_pieces::worker purge_all(std::string queue, job_state state) {
  return [queue = std::move(queue), state, highest = std::int64_t{0}](transaction& tx,
                                                                      std::size_t pieces_done) mutable {
    if (pieces_done == 0) highest = tx.tables.highest_number();
    const auto done = tx.tables.purge_some(queue, state, highest, tx.now, tx.out);
    return operation_in_pieces::piece{done.count, done.rows == rows_of_piece};
  };
}

operation_in_pieces::worker requeue_all(std::string queue) {
  return [queue = std::move(queue), highest = std::int64_t{0}](transaction& tx,
                                                               std::size_t pieces_done) mutable {
    if (pieces_done == 0) highest = tx.tables.highest_number();
    const auto done = tx.tables.requeue_some(queue, highest, tx.now, tx.out);
    return operation_in_pieces::piece{done.count, done.rows == rows_of_piece};
  };
}

operation_in_pieces::worker requeue_named(std::string queue, std::vector<std::string> ids) {
  return [queue = std::move(queue), ids = std::move(ids)](transaction& tx, std::size_t pieces_done) {
    const auto left = std::span(ids).subspan(pieces_done * rows_of_piece);
    const auto some = left.first(std::min(left.size(), rows_of_piece));
    return operation_in_pieces::piece{tx.tables.requeue(queue, some, tx.now, tx.out),
                                      left.size() > some.size()};
  };
}

operation_in_pieces::worker purge_those(std::string queue, job_state state, std::vector<std::string> ids) {
  return [queue = std::move(queue), state, ids = std::move(ids)](transaction& tx, std::size_t pieces_done) {
    const auto left = std::span(ids).subspan(pieces_done * rows_of_piece);
    const auto some = left.first(std::min(left.size(), rows_of_piece));
    return operation_in_pieces::piece{tx.tables.purge_named(queue, state, some, tx.now, tx.out),
                                      left.size() > some.size()};
  };
}

/// How many minutes are read at a time.
constexpr std::chrono::minutes minutes_of_piece{360};

}  // namespace

sqlite_broker::sqlite_broker(std::shared_ptr<writer_thread> where, boost::asio::any_io_executor loop,
                             open_options options)
    : writer_(std::move(where)), loop_(loop), options_(options), handle_(async::loop_handle::make(loop)) {}

awaitable<void> sqlite_broker::perform(std::shared_ptr<operation> what) {
  const auto me = std::make_shared<waiter>(loop_);
  what->loop = handle_;
  what->waiting = me;
  what->lock_timeout = options_.timeout;
  writer_->submit(what);
  co_await me->answered.wait();
  if (!what->error) co_return;
  if (what->error->store_gone) throw store_gone(what->error->text);
  throw broker_error(what->error->text, what->error->why);
}

template <class Result>
awaitable<Result> sqlite_broker::ask(operation::kind needs, std::size_t jobs,
                                     std::function<Result(transaction&)> work) {
  const auto what = std::make_shared<function_operation<Result>>(needs, jobs, std::move(work));
  co_await perform(what);
  co_return std::move(what->result);
}

// ---- for clients

awaitable<std::vector<accepted>> sqlite_broker::enqueue(std::string queue, std::vector<new_job> jobs) {
  check_queue(queue);
  check_jobs(jobs);
  check_sizes(jobs, max_bytes(writer_->settings()));
  const auto count = jobs.size();
  std::function<std::vector<accepted>(transaction&)> work = [queue = std::move(queue),
                                                             jobs = std::move(jobs)](transaction& tx) {
    return tx.tables.enqueue(queue, jobs, tx.now, tx.out);
  };
  auto answer = co_await ask(kind::writes_durably, count, std::move(work));
  co_return answer;
}

awaitable<std::optional<ended>> sqlite_broker::wait_ended(std::string queue, std::string id) {
  const auto wait = std::make_shared<wait_operation>(queue, id);
  wait_guard guard(writer_, handle_, wait);
  co_await perform(wait);
  guard.answered = true;
  co_return std::move(wait->result);
}

awaitable<std::vector<std::string>> sqlite_broker::notes(std::string queue, std::vector<std::string> ids) {
  const auto count = ids.size();
  std::function<std::vector<std::string>(transaction&)> work =
      [queue, ids = std::move(ids)](transaction& tx) { return tx.tables.notes(queue, ids); };
  auto all = co_await ask(kind::reads, count, std::move(work));
  co_return all;
}

awaitable<cancel_result> sqlite_broker::cancel(std::string queue, std::string id, std::string outcome,
                                               std::optional<milliseconds> keep) {
  cancel_end how{std::move(outcome), keep};
  std::function<cancel_result(transaction&)> work = [queue, id, how = std::move(how)](transaction& tx) {
    return tx.tables.cancel(queue, id, how, tx.now, tx.out);
  };
  auto answer = co_await ask(kind::writes_durably, 1, std::move(work));
  co_return answer;
}

// ---- for workers

awaitable<void> sqlite_broker::open_lease(worker_lease held, lease_options options, worker_events events) {
  check_lease(held);
  const auto state = std::make_shared<open_lease_state>(std::move(events), options.says_begin_from);
  leases_[held.token] = state;
  const std::shared_ptr<worker_events> shared(state, &state->events);
  std::function<nothing(transaction&)> work = [held, options](transaction& tx) {
    tx.tables.open_lease(held, options, tx.uptime);
    return nothing();
  };
  const auto what = std::make_shared<function_operation<nothing>>(kind::writes, 1, std::move(work));
  what->then = [held, loop = handle_, heard = std::weak_ptr(shared)](subscriptions& all, nothing) {
    all.open(held, loop, heard);
  };
  co_await perform(what);
}

awaitable<renewal> sqlite_broker::renew(worker_lease held, lease_options options) {
  // Each renewal looks at some of the queues only.
  const auto found = leases_.find(held.token);
  if (found != leases_.end() && held.queues.size() > max_looked_at) {
    auto& next = found->second->next_to_look_at;
    next %= held.queues.size();
    std::rotate(held.queues.begin(), held.queues.begin() + static_cast<std::ptrdiff_t>(next),
                held.queues.end());
    next += max_looked_at;
  }
  std::function<renewal(transaction&)> work = [held, options](transaction& tx) {
    return tx.tables.renew(held, options, tx.now, tx.uptime, tx.out);
  };
  const auto what = std::make_shared<function_operation<renewal>>(kind::writes, 1, std::move(work));
  co_await perform(what);
  co_return std::move(what->result);
}

awaitable<void> sqlite_broker::close_lease(worker_lease held) {
  leases_.erase(held.token);
  std::function<nothing(transaction&)> work = [held](transaction& tx) {
    tx.tables.close_lease(held, tx.now, tx.out);
    return nothing();
  };
  const auto what = std::make_shared<function_operation<nothing>>(kind::writes, 1, std::move(work));
  what->then = [held](subscriptions& all, nothing) { all.close(held); };
  co_await perform(what);
}

awaitable<claim_result> sqlite_broker::claim(lease held, std::size_t max) {
  // A claim that is lost with the machine's power was made by a worker that is lost too.
  const auto found = leases_.find(held.token);
  const auto says_begin_from = found == leases_.end() ? std::nullopt : found->second->says_begin_from;
  std::function<claim_result(transaction&)> work = [held, max, says_begin_from](transaction& tx) {
    return tx.tables.claim(held, max, tx.now, says_begin_from);
  };
  const auto what = std::make_shared<function_operation<claim_result>>(kind::writes, max, std::move(work));
  what->then = [held, max](subscriptions& all, const claim_result& got) {
    if (got.jobs.size() >= max) return;
    all.owe_event(held, got.next_due ? std::optional(got.now + *got.next_due) : std::nullopt);
  };
  co_await perform(what);
  co_return std::move(what->result);
}

awaitable<std::vector<bool>> sqlite_broker::settle(lease held, std::vector<settlement> batch) {
  check_sizes(batch, max_bytes(writer_->settings()));
  const auto count = batch.size();
  const bool hands_back = std::any_of(
      batch.begin(), batch.end(), [](const settlement& s) { return s.kind == settlement::what::hand_back; });
  std::function<std::vector<bool>(transaction&)> work = [held, batch = std::move(batch)](transaction& tx) {
    return tx.tables.settle(held, batch, tx.now, tx.out);
  };
  const auto what =
      std::make_shared<function_operation<std::vector<bool>>>(kind::writes_durably, count, std::move(work));
  what->then = [held, hands_back](subscriptions& all, const std::vector<bool>&) {
    if (hands_back) all.owe_nothing(held);
  };
  co_await perform(what);
  co_return std::move(what->result);
}

awaitable<void> sqlite_broker::reconcile(lease held, std::vector<std::string> known) {
  std::function<nothing(transaction&)> work = [held, known = std::move(known)](transaction& tx) {
    tx.tables.reconcile(held, known, tx.now, tx.out);
    return nothing();
  };
  co_await ask(kind::writes, 1, std::move(work));
}

awaitable<void> sqlite_broker::keep_notes(lease held, std::vector<job_note> notes) {
  const auto count = notes.size();
  std::function<nothing(transaction&)> work = [held, notes = std::move(notes)](transaction& tx) {
    tx.tables.keep_notes(held, notes, tx.now);
    return nothing();
  };
  co_await ask(kind::writes, count, std::move(work));
}

// ---- for operators

awaitable<std::optional<job_details>> sqlite_broker::inspect(std::string queue, std::string id) {
  std::function<std::optional<job_details>(transaction&)> work = [queue, id](transaction& tx) {
    return tx.tables.inspect(queue, id, tx.now);
  };
  auto answer = co_await ask(kind::reads, 1, std::move(work));
  co_return answer;
}

awaitable<job_page> sqlite_broker::page(std::string queue, job_state state, std::size_t max,
                                        std::string from) {
  std::function<job_page(transaction&)> work = [queue, state, max = std::min(max, max_page),
                                                from](transaction& tx) {
    return tx.tables.page(queue, state, max, from, tx.now);
  };
  auto answer = co_await ask(kind::scans, 1, std::move(work));
  co_return answer;
}

awaitable<bool> sqlite_broker::set_paused(std::string queue, bool paused) {
  check_queue(queue);
  std::function<bool(transaction&)> work = [queue, paused](transaction& tx) {
    return tx.tables.set_paused(queue, paused, tx.now, tx.out);
  };
  const bool changed = co_await ask(kind::writes_durably, 1, std::move(work));
  co_return changed;
}

awaitable<bool> sqlite_broker::is_paused(std::string queue) {
  std::function<bool(transaction&)> work = [queue](transaction& tx) { return tx.tables.is_paused(queue); };
  const bool paused = co_await ask(kind::reads, 1, std::move(work));
  co_return paused;
}

awaitable<bool> sqlite_broker::set_mark(std::string queue, std::string name, std::string text) {
  check_queue(queue);
  check_mark(name);
  std::function<bool(transaction&)> work = [queue, name, text](transaction& tx) {
    return tx.tables.set_mark(queue, name, text);
  };
  const bool changed = co_await ask(kind::writes_durably, 1, std::move(work));
  co_return changed;
}

awaitable<std::map<std::string, std::string>> sqlite_broker::marks(std::string queue) {
  std::function<std::map<std::string, std::string>(transaction&)> work = [queue](transaction& tx) {
    return tx.tables.marks(queue);
  };
  auto all = co_await ask(kind::reads, 1, std::move(work));
  co_return all;
}

awaitable<std::vector<queue_summary>> sqlite_broker::queues() {
  std::function<std::vector<queue_summary>(transaction&)> work = [](transaction& tx) {
    return tx.tables.queues(tx.now, tx.uptime);
  };
  auto answer = co_await ask(kind::scans, 1, std::move(work));
  co_return answer;
}

awaitable<std::vector<worker_summary>> sqlite_broker::workers(std::string queue) {
  std::function<std::vector<worker_summary>(transaction&)> work = [queue](transaction& tx) {
    return tx.tables.workers(queue, tx.uptime);
  };
  auto answer = co_await ask(kind::reads, 1, std::move(work));
  co_return answer;
}

awaitable<std::size_t> sqlite_broker::count_in_pieces(operation_in_pieces::worker work) {
  const auto what = std::make_shared<operation_in_pieces>(kind::writes_durably, std::move(work));
  co_await perform(what);
  co_return what->total;
}

awaitable<std::size_t> sqlite_broker::requeue(std::string queue, std::vector<std::string> ids) {
  operation_in_pieces::worker work =
      ids.empty() ? requeue_all(std::move(queue)) : requeue_named(std::move(queue), std::move(ids));
  const auto count = co_await count_in_pieces(std::move(work));
  co_return count;
}

awaitable<std::size_t> sqlite_broker::purge(std::string queue, job_state state) {
  check_purge(state);
  operation_in_pieces::worker work = purge_all(std::move(queue), state);
  const auto count = co_await count_in_pieces(std::move(work));
  co_return count;
}

awaitable<std::size_t> sqlite_broker::purge_named(std::string queue, job_state state,
                                                  std::vector<std::string> ids) {
  check_purge(state);
  operation_in_pieces::worker work = purge_those(std::move(queue), state, std::move(ids));
  const auto count = co_await count_in_pieces(std::move(work));
  co_return count;
}

awaitable<std::optional<std::uint64_t>> sqlite_broker::count(std::string queue, job_state state) {
  std::function<std::uint64_t(transaction&)> work = [queue, state](transaction& tx) {
    return tx.tables.count(queue, state, tx.now);
  };
  const auto count = co_await ask(kind::scans, 1, std::move(work));
  co_return count;
}

awaitable<void> sqlite_broker::add_stats(std::string queue, std::vector<task_counts> what) {
  const auto count = what.size();
  std::function<nothing(transaction&)> work = [queue, what = std::move(what)](transaction& tx) {
    tx.tables.add_stats(queue, what, tx.now);
    return nothing();
  };
  co_await ask(kind::writes, count, std::move(work));
}

awaitable<std::vector<task_minute>> sqlite_broker::stats(std::string queue, task_minute::time_point from,
                                                         task_minute::time_point until) {
  std::vector<task_minute> found;
  for (auto at = from; at < until; at += minutes_of_piece) {
    const auto end = std::min(until, at + minutes_of_piece);
    std::function<std::vector<task_minute>(transaction&)> work = [queue, at, end](transaction& tx) {
      return tx.tables.stats(queue, at, end);
    };
    auto some = co_await ask(kind::scans, 1, std::move(work));
    found.insert(found.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  co_return found;
}

awaitable<std::vector<std::string>> sqlite_broker::warnings() {
  std::vector<std::string> all;
  if (writer_->settings().file == ":memory:") all.push_back("sqlite::memory: is lost with this process");
  if (writer_->settings().synchronous == 0) {
    all.push_back(writer_->settings().file + ": synchronous=off: a power failure may damage the whole file");
  }
  co_return all;
}

std::shared_ptr<broker> open_sqlite(std::string_view url, boost::asio::any_io_executor loop,
                                    open_options options) {
  auto parsed = parse_url(url);
  if (parsed.timeout) options.timeout = parsed.timeout;
  if (parsed.settings.file == ":memory:") parsed.settings.times = clocks_in_memory();
  return std::make_shared<sqlite_broker>(writer_thread::shared(parsed.settings), std::move(loop), options);
}

}  // namespace quarq::broker::sqlite
