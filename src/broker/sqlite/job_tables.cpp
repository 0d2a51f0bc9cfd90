#include "broker/sqlite/job_tables.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "broker/limits.hpp"
#include "broker/sqlite/statements.hpp"

namespace quarq::broker::sqlite {

namespace {

using blob = statement::blob;

struct held_count {
  std::string queue;
  std::size_t jobs;
  std::uint64_t begun;
};

std::optional<time_point> optional_moment(const statement& row, int column) {
  if (row.null(column)) return std::nullopt;
  return moment_of(row.integer(column));
}

/// `when` + `time`, where a time too long to be added means the end of time.
time_point later(time_point when, milliseconds time) {
  if (time <= milliseconds::zero()) return when;
  if (time > time_point::max() - when) return time_point::max();
  return when + time;
}

optional_number keep_number(std::optional<milliseconds> keep) {
  return keep ? optional_number(keep->count()) : std::nullopt;
}

/// From the columns cancel_keep, which is `first`, and cancel_outcome.
cancel_end cancel_end_of(const statement& row, int first) {
  cancel_end how;
  how.outcome = row.bytes(first + 1);
  if (!row.null(first)) how.keep = milliseconds(row.integer(first));
  return how;
}

/// As a lease's duration is stored: no clock overflows when it is added.
std::int64_t bounded_duration(milliseconds duration) {
  return std::min<milliseconds>(duration, std::chrono::years(1'000)).count();
}

/// How many lost leases a renewal takes back: it must not keep others from the file for long.
constexpr std::int64_t max_lost_at_once = 100;

/// Whether what happened before happened in an earlier one of the times of this length that follow each other.
bool is_first_in(milliseconds time, milliseconds now, std::optional<milliseconds> before) {
  return !before || *before / time != now / time;
}

/// SQL's LIMIT.
std::int64_t limit_of(std::size_t max) {
  return static_cast<std::int64_t>(std::min<std::size_t>(max, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

void check_sizes(std::span<const new_job> jobs, std::size_t max) {
  for (const auto& job : jobs) {
    if (job.record.size() <= max) continue;
    throw usage_error(fmt::format("job \"{}\": its call has {} bytes, and SQLite takes at most {}", job.id,
                                  job.record.size(), max));
  }
}

void check_sizes(std::span<const settlement> batch, std::size_t max) {
  for (const auto& one : batch) {
    if (one.outcome.size() <= max) continue;
    throw broker_error(fmt::format("job \"{}\": its outcome has {} bytes, and SQLite takes at most {}",
                                   one.id, one.outcome.size(), max),
                       broker_error::reason::refused);
  }
}

job_tables::job_tables(sqlite3* db, std::string boot)
    : sql_(std::make_unique<statements>(db)), boot_(std::move(boot)) {}
job_tables::~job_tables() = default;

// ---- for clients

std::vector<accepted> job_tables::enqueue(std::string_view queue, std::span<const new_job> jobs,
                                          time_point now, changes& out) {
  std::vector<accepted> answers;
  answers.reserve(jobs.size());
  for (const auto& job : jobs)
    answers.push_back(insert(queue, job, now, out) ? accepted::yes : accepted::duplicate);
  return answers;
}

bool job_tables::insert(std::string_view queue, const new_job& job, time_point now, changes& out) {
  const auto due = job.at ? std::max(*job.at, now) : later(now, job.delay);
  const bool ready = due <= now;
  const auto expires = job.expires ? std::optional(later(due, *job.expires)) : std::nullopt;
  const auto try_insert = [&] {
    return sql_->insert_job
               .with(number_of(ready ? job_state::queued : job_state::deferred), job.priority, number_of(due),
                     number_of(now), number_of(due), number_of(expires), queue, std::string_view(job.id),
                     blob{job.record})
               .run() == 1;
  };
  if (!try_insert()) {
    const bool was_outdated =
        sql_->delete_outdated.with(queue, std::string_view(job.id), number_of(now)).run() > 0;
    // Nobody else makes a fresh id: if it is there, this is the same call once more.
    if (!was_outdated) return job.id_is_fresh;
    try_insert();
  }
  if (!job.task.empty()) note_enqueued(queue, job.task, out);
  if (ready) {
    add_ready(queue, 1, out);
  } else {
    add_deferred(queue, due, out);
  }
  return true;
}

job_tables::wait_answer job_tables::await_end(std::string_view queue, std::string_view id, time_point now) {
  wait_answer answer;
  auto& row = sql_->find_job.with(queue, id, number_of(now));
  answer.over = true;
  if (!row.next()) return answer;
  const auto number = row.integer(0);
  const auto state = static_cast<job_state>(row.integer(1));
  const bool awaited = row.integer(2) != 0;
  if (is_final(state)) answer.outcome = ended{state, row.bytes(4)};
  row.reset();
  answer.over = answer.outcome.has_value();
  if (!answer.over && !awaited) sql_->mark_awaited.with(number).run();
  return answer;
}

cancel_result job_tables::cancel(std::string_view queue, std::string_view id, const cancel_end& how,
                                 time_point now, changes& out) {
  auto& row = sql_->find_job.with(queue, id, number_of(now));
  if (!row.next()) return cancel_result::not_found;
  const auto number = row.integer(0);
  const auto state = static_cast<job_state>(row.integer(1));
  const bool awaited = row.integer(2) != 0;
  const auto lease = row.integer(3);
  row.reset();
  if (is_final(state)) return cancel_result::ended;
  if (state == job_state::running) {
    if (sql_->mark_cancel.with(keep_number(how.keep), blob{how.outcome}, number).run() == 0)
      return cancel_result::requested;
    auto& holder = sql_->token_of.with(lease);
    if (holder.next()) out.cancels.push_back({std::string(queue), holder.bytes(0), std::string(id)});
    holder.reset();
    return cancel_result::requested;
  }
  end_cancelled({number, awaited, std::string(queue), std::string(id)}, how, now, out);
  return cancel_result::cancelled;
}

// ---- for workers

void job_tables::open_lease(const worker_lease& held, const lease_options& options, milliseconds uptime) {
  spare_all_after_silence(options.duration, uptime);
  const std::string_view token = held.token;
  sql_->upsert_lease
      .with(token, std::string_view(boot_), uptime.count() + bounded_duration(options.duration),
            bounded_duration(options.duration), blob{options.worker_info}, blob{options.announcement})
      .run();
  const auto number = lease_of(token);
  for (const auto& queue : held.queues) sql_->serve.with(std::string_view(queue), *number).run();
}

renewal job_tables::renew(const worker_lease& held, const lease_options& options, time_point now,
                          milliseconds uptime, changes& out) {
  renewal answer;
  const auto heard_before = spare_all_after_silence(options.duration, uptime);
  answer.held =
      sql_->extend_lease
          .with(std::string_view(boot_), uptime.count() + bounded_duration(options.duration),
                bounded_duration(options.duration), blob{options.worker_info}, std::string_view(held.token))
          .run() == 1;
  answer.workers = count_leases();
  const bool few = answer.workers <= max_looking;
  if (few || is_first_in(milliseconds(50), uptime, heard_before)) take_back_lost(now, uptime, out);
  if (few || is_first_in(milliseconds(1'000), uptime, heard_before)) out.sweep_due = true;
  if (answer.held) answer.cancel_requests = cancel_requests(held.token);
  for (const auto& queue : std::span(held.queues).first(std::min(held.queues.size(), max_looked_at))) {
    if (count_waiting(queue, 1, now) > 0)
      (is_paused(queue) ? answer.paused : answer.work_ready).push_back(queue);
  }
  return answer;
}

void job_tables::close_lease(const worker_lease& held, time_point now, changes& out) {
  const auto number = lease_of(held.token);
  if (!number) return;
  give_back_all(*number, false, now, out);
  end_lease(*number);
  // It may have been woken for jobs that it never claimed: somebody else must hear of them.
  for (const auto& queue : held.queues) {
    const auto ready = count_ready(queue, 1, now);
    if (ready > 0) add_ready(queue, ready, out);
  }
}

claim_result job_tables::claim(const lease& held, std::size_t max, time_point now,
                               std::optional<int> says_begin_from) {
  const auto lease = lease_number(held);
  if (!lease) {
    throw broker_error(fmt::format("lease lost: queue \"{}\" knows no lease \"{}\"", held.queue, held.token));
  }
  claim_result answer;
  answer.now = now;
  const std::string_view queue = held.queue;
  sql_->promote.with(queue, number_of(now), limit_of(std::max(max, rows_of_piece))).run();
  answer.paused = is_paused(queue);
  if (answer.paused) return answer;
  auto& row = sql_->first_ready.with(queue, limit_of(max));
  while (row.next()) {
    auto& job = answer.jobs.emplace_back();
    job.id = row.bytes(0);
    job.record = row.bytes(1);
    job.attempts = static_cast<int>(row.integer(2)) + 1;
    job.priority = static_cast<int>(row.integer(3));
    job.enqueued_at = moment_of(row.integer(4));
    job.due_at = moment_of(row.integer(5));
    job.expires_at = optional_moment(row, 6);
    job.losses = static_cast<int>(row.integer(7));
    if (!row.null(8)) job.last_outcome = row.bytes(8);
  }
  // The same ones: they are in a total order.
  const int unstarted_from = says_begin_from.value_or(std::numeric_limits<int>::max());
  if (!answer.jobs.empty())
    sql_->take.with(*lease, unstarted_from, queue, limit_of(answer.jobs.size())).run();
  if (const auto due = next_due(queue)) answer.next_due = std::max(milliseconds(0), *due - now);
  return answer;
}

std::vector<bool> job_tables::settle(const lease& held, std::span<const settlement> batch, time_point now,
                                     changes& out) {
  std::vector<bool> answers(batch.size(), false);
  const auto lease = lease_number(held);
  if (!lease) return answers;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    answers[i] = settle_one(held, *lease, batch[i], now, out);
    if (answers[i] && batch[i].has_notes)
      sql_->forget_note.with(std::string_view(held.queue), std::string_view(batch[i].id)).run();
  }
  return answers;
}

bool job_tables::settle_one(const lease& held, std::int64_t lease, const settlement& one, time_point now,
                            changes& out) {
  const std::string_view queue = held.queue, id = one.id;
  if (one.kind == settlement::what::begin && sql_->begin.with(queue, id, lease).run() == 1) return true;
  const bool dead = one.state == job_state::dead;
  const bool unkept =
      one.kind == settlement::what::end && !dead && one.keep && *one.keep <= milliseconds::zero();
  if (unkept && sql_->end_unawaited.with(queue, id, lease).run() == 1) return true;
  const auto until = one.keep ? later(now, *one.keep) : time_point::max();
  const bool kept = one.kind == settlement::what::end && !dead && !unkept;
  if (kept &&
      sql_->keep_unawaited.with(number_of(one.state), number_of(until), blob{one.outcome}, queue, id, lease)
              .run() == 1)
    return true;

  auto& row = sql_->find_held.with(queue, id, lease);
  if (!row.next()) return false;
  const auto number = row.integer(0);
  const bool awaited = row.integer(1) != 0;
  const bool cancel_wanted = row.integer(2) != 0;
  auto how = cancel_wanted ? cancel_end_of(row, 3) : cancel_end();
  row.reset();
  if (one.kind == settlement::what::begin) return true;
  if (one.kind != settlement::what::end && cancel_wanted) {
    end_cancelled({number, awaited, held.queue, one.id}, std::move(how), now, out);
  } else if (one.kind == settlement::what::retry) {
    const auto due = later(now, one.delay);
    sql_->put_off.with(number_of(due), blob{one.outcome}, number).run();
    add_deferred(queue, due, out);
  } else if (one.kind == settlement::what::hand_back && one.delay > milliseconds::zero()) {
    const auto due = later(now, one.delay);
    sql_->put_off_uncounted.with(number_of(due), number).run();
    add_deferred(queue, due, out);
  } else if (one.kind == settlement::what::hand_back) {
    sql_->give_back.with(number).run();
    add_ready(queue, 1, out);
  } else if (unkept) {
    end_unkept(number, awaited, {held.queue, one.id, ended{one.state, one.outcome}}, now, out);
  } else {
    if (dead) {
      sql_->bury.with(number_of(later(now, dead_kept)), blob{one.outcome}, number).run();
      out.buried.insert(held.queue);
    } else {
      sql_->keep.with(number_of(one.state), number_of(until), blob{one.outcome}, number).run();
    }
    if (awaited) publish({held.queue, one.id, ended{one.state, one.outcome}}, now, out);
  }
  return true;
}

void job_tables::reconcile(const lease& held, std::span<const std::string> known, time_point now,
                           changes& out) {
  const auto lease = lease_number(held);
  if (!lease) return;
  std::vector<settlement> unknown;
  const std::set<std::string_view> names(known.begin(), known.end());
  auto& row = sql_->held_by.with(*lease, std::string_view(held.queue));
  while (row.next()) {
    settlement one;
    one.id = row.bytes(0);
    one.kind = settlement::what::hand_back;
    if (!names.contains(one.id)) unknown.push_back(std::move(one));
  }
  settle(held, unknown, now, out);
}

bool job_tables::has_cancel_requests() {
  auto& row = sql_->any_to_cancel.with();
  const bool any = row.next();
  row.reset();
  return any;
}

std::vector<renewal::request> job_tables::cancel_requests(std::string_view token) {
  std::vector<renewal::request> all;
  const auto lease = lease_of(token);
  if (!lease) return all;
  auto& row = sql_->to_cancel.with(*lease);
  while (row.next()) all.push_back({row.bytes(2), row.bytes(3)});
  return all;
}

std::optional<std::int64_t> job_tables::lease_number(const lease& held) {
  auto& row = sql_->find_lease.with(std::string_view(held.token), std::string_view(held.queue));
  if (!row.next()) return std::nullopt;
  const auto number = row.integer(0);
  row.reset();
  return number;
}

std::size_t job_tables::count_leases() {
  auto& row = sql_->count_leases.with();
  row.next();
  const auto count = static_cast<std::size_t>(row.integer(0));
  row.reset();
  return count;
}

std::optional<std::int64_t> job_tables::lease_of(std::string_view token) {
  auto& row = sql_->lease_of_token.with(token);
  if (!row.next()) return std::nullopt;
  const auto number = row.integer(0);
  row.reset();
  return number;
}

/// Opening a lease counts as hearing of somebody, too: of those that a silence kept from renewing, the first
/// to be heard may be one that has just started.
std::optional<milliseconds> job_tables::spare_all_after_silence(milliseconds duration, milliseconds uptime) {
  auto& row = sql_->last_heard.with(std::string_view(boot_));
  std::optional<milliseconds> before;
  if (row.next()) before = milliseconds(row.integer(0));
  row.reset();
  const milliseconds silence = uptime - before.value_or(uptime);
  if (silence > std::min(max_silence, duration / 2))
    sql_->spare_leases.with(uptime.count(), std::string_view(boot_), max_spared).run();
  sql_->note_heard.with(std::string_view(boot_), uptime.count()).run();
  return before;
}

/// Leases of an earlier run of the machine are lost however long they were to last. Those left are found by the
/// next renewal.
void job_tables::take_back_lost(time_point now, milliseconds uptime, changes& out) {
  std::vector<std::int64_t> lost;
  auto& row = sql_->lost_leases.with(std::string_view(boot_), uptime.count(), max_lost_at_once);
  while (row.next()) lost.push_back(row.integer(0));
  for (const auto lease : lost) {
    give_back_all(lease, true, now, out);
    end_lease(lease);
  }
}

void job_tables::give_back_all(std::int64_t lease, bool lost, time_point now, changes& out) {
  cancel_wanted_of(lease, now, out);
  auto& row = sql_->count_held_by.with(lease);
  std::vector<held_count> held;
  while (row.next())
    held.push_back(
        {row.bytes(0), static_cast<std::size_t>(row.integer(1)), static_cast<std::uint64_t>(row.integer(2))});
  for (const auto& [queue, count, begun] : held) {
    add_ready(queue, count, out);
    if (!lost || begun == 0) continue;
    task_counts losses;
    losses.counts.lost = begun;
    add_stats(queue, std::span(&losses, 1), now);
  }
  sql_->give_back_lease.with(lost ? 1 : 0, lease).run();
}

void job_tables::cancel_wanted_of(std::int64_t lease, time_point now, changes& out) {
  std::vector<std::pair<unended, cancel_end>> all;
  auto& row = sql_->to_cancel.with(lease);
  while (row.next()) {
    all.emplace_back(unended{row.integer(0), row.integer(1) != 0, row.bytes(2), row.bytes(3)},
                     cancel_end_of(row, 4));
  }
  for (auto& [job, how] : all) end_cancelled(std::move(job), std::move(how), now, out);
}

void job_tables::end_lease(std::int64_t lease) {
  sql_->stop_serving.with(lease).run();
  sql_->delete_lease.with(lease).run();
}

// ---- notices

void job_tables::end_unkept(std::int64_t number, bool awaited, changes::over over, time_point now,
                            changes& out) {
  sql_->delete_job.with(number).run();
  if (awaited) publish(std::move(over), now, out);
}

void job_tables::end_cancelled(unended job, cancel_end how, time_point now, changes& out) {
  changes::over over{std::move(job.queue), std::move(job.id),
                     ended{job_state::cancelled, std::move(how.outcome)}};
  if (how.keep && *how.keep <= milliseconds::zero()) {
    end_unkept(job.number, job.awaited, std::move(over), now, out);
    return;
  }
  const auto until = how.keep ? later(now, *how.keep) : time_point::max();
  sql_->keep.with(number_of(job_state::cancelled), number_of(until), blob{over.outcome->outcome}, job.number)
      .run();
  if (job.awaited) publish(std::move(over), now, out);
}

void job_tables::publish(changes::over over, time_point now, changes& out) {
  const auto state = over.outcome ? optional_number(number_of(over.outcome->state)) : std::nullopt;
  const std::string_view outcome =
      over.outcome ? std::string_view(over.outcome->outcome) : std::string_view();
  sql_->insert_notice
      .with(std::string_view(over.queue), std::string_view(over.id), state, blob{outcome},
            number_of(later(now, publication_time)))
      .run();
  out.ended.push_back(std::move(over));
}

void job_tables::add_ready(std::string_view queue, std::size_t count, changes& out) {
  auto found = out.work.find(queue);
  if (found == out.work.end()) found = out.work.emplace(std::string(queue), changes::new_work{}).first;
  found->second.ready += count;
}

void job_tables::add_deferred(std::string_view queue, time_point due, changes& out) {
  add_ready(queue, 0, out);
  auto& earliest = out.work.find(queue)->second.next_due;
  earliest = std::min(earliest.value_or(due), due);
}

void job_tables::note_enqueued(std::string_view queue, std::string_view task, changes& out) {
  auto of_queue = out.enqueued.find(queue);
  if (of_queue == out.enqueued.end()) of_queue = out.enqueued.try_emplace(std::string(queue)).first;
  auto found = of_queue->second.find(task);
  if (found == of_queue->second.end()) found = of_queue->second.emplace(std::string(task), 0).first;
  ++found->second;
}

std::int64_t job_tables::version_of_others() {
  auto& row = sql_->data_version.with();
  row.next();
  const auto version = row.integer(0);
  row.reset();
  return version;
}

std::optional<std::string> job_tables::next_waiting(std::string_view from) {
  auto& row = sql_->next_waiting.with(from);
  row.next();
  std::optional<std::string> queue;
  if (!row.null(0)) queue = row.bytes(0);
  row.reset();
  return queue;
}

std::size_t job_tables::count_ready(std::string_view queue, std::size_t max, time_point now) {
  const auto count = count_waiting(queue, max, now);
  return count > 0 && is_paused(queue) ? 0 : count;
}

std::size_t job_tables::count_waiting(std::string_view queue, std::size_t max, time_point now) {
  auto& ready = sql_->count_ready_now.with(queue, limit_of(max));
  ready.next();
  auto count = static_cast<std::size_t>(ready.integer(0));
  ready.reset();
  if (count < max) {
    auto& due = sql_->count_due.with(queue, number_of(now), limit_of(max - count));
    due.next();
    count += static_cast<std::size_t>(due.integer(0));
    due.reset();
  }
  return count;
}

std::optional<time_point> job_tables::next_due(std::string_view queue) {
  auto& row = sql_->first_due.with(queue);
  if (!row.next()) return std::nullopt;
  const auto due = moment_of(row.integer(0));
  row.reset();
  if (is_paused(queue)) return std::nullopt;
  return due;
}

std::vector<changes::over> job_tables::published_since(std::int64_t& number) {
  std::vector<changes::over> all;
  auto& row = sql_->read_notice.with(number);
  while (row.next()) {
    number = row.integer(0);
    auto& over = all.emplace_back();
    over.queue = row.bytes(1);
    over.id = row.bytes(2);
    if (!row.null(3)) over.outcome = ended{static_cast<job_state>(row.integer(3)), row.bytes(4)};
  }
  return all;
}

std::int64_t job_tables::last_published() {
  auto& row = sql_->read_last_notice.with();
  row.next();
  const auto number = row.integer(0);
  row.reset();
  return number;
}

// ---- tidying up

bool job_tables::sweep(time_point now) {
  const auto limit = limit_of(rows_of_piece);
  const int notices = sql_->sweep_notice.with(number_of(now), limit).run();
  const int notes = sql_->sweep_notes.with(number_of(now), limit).run();
  return sweep_kept(now) >= limit || notices >= limit || notes >= limit;
}

// Each state of each queue has its rows in the order of their ends. An index over all of them would cost each job more than
// these few looks cost a sweep.
std::int64_t job_tables::sweep_kept(time_point now) {
  const auto limit = limit_of(rows_of_piece);
  std::int64_t swept = 0, state = -1;
  std::string queue;
  while (swept < limit) {
    auto& next = sql_->next_ended.with(queue, state);
    if (!next.next()) break;
    queue = next.bytes(0);
    state = next.integer(1);
    next.reset();
    swept += sql_->sweep_kept.with(queue, state, number_of(now), limit - swept).run();
  }
  return swept;
}

void job_tables::touch() {
  const std::string_view nobody = "";
  sql_->insert_notice.with(nobody, nobody, optional_number(), blob{nobody}, 0).run();
  sql_->sweep_notice.with(0, 1).run();
}

std::size_t job_tables::trim_dead(std::string_view queue) {
  return static_cast<std::size_t>(
      sql_->trim_dead.with(queue, limit_of(rows_of_piece), limit_of(max_dead)).run());
}

}  // namespace quarq::broker::sqlite
