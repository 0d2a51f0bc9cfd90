// The part of job_tables that shows and tidies.
#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "broker/sqlite/job_tables.hpp"
#include "broker/sqlite/statements.hpp"

namespace quarq::broker::sqlite {

namespace {

/// How many bytes of records and outcomes a page has, but for its last job.
constexpr std::size_t bytes_of_page = 2'000'000;

/// How many jobs are counted to know how many workers a resumed queue needs.
constexpr std::size_t counted_to_wake = 1'000;

/// A row of `inspect` and of the `page_...` statements.
job_details details_of(const statement& row) {
  job_details job;
  job.id = row.bytes(0);
  job.state = static_cast<job_state>(row.integer(1));
  job.record = row.bytes(2);
  job.outcome = row.bytes(3);
  job.attempts = static_cast<int>(row.integer(4));
  job.priority = static_cast<int>(row.integer(5));
  job.enqueued_at = moment_of(row.integer(6));
  if (job.state == job_state::deferred) job.due_at = moment_of(row.integer(7));
  if (!row.null(8)) job.expires_at = moment_of(row.integer(8));
  job.holder = row.bytes(9);
  job.losses = static_cast<int>(row.integer(10));
  return job;
}

}  // namespace

std::optional<job_details> job_tables::inspect(std::string_view queue, std::string_view id, time_point now) {
  auto& row = sql_->inspect.with(queue, id, number_of(now));
  if (!row.next()) return std::nullopt;
  auto job = details_of(row);
  if (!row.null(11)) job.note = row.bytes(11);
  row.reset();
  return job;
}

void job_tables::keep_notes(const lease& held, std::span<const job_note> notes, time_point now) {
  const auto lease = lease_number(held);
  if (!lease) return;
  const auto until = number_of(now + notes_kept);
  for (const auto& one : notes) {
    sql_->keep_note
        .with(statement::blob{one.text}, until, std::string_view(held.queue), std::string_view(one.id),
              *lease)
        .run();
  }
}

std::vector<std::string> job_tables::notes(std::string_view queue, std::span<const std::string> ids) {
  std::vector<std::string> all;
  for (const auto& id : ids) {
    auto& row = sql_->read_note.with(queue, std::string_view(id));
    all.push_back(row.next() ? row.bytes(0) : std::string());
    row.reset();
  }
  return all;
}

bool job_tables::set_mark(std::string_view queue, std::string_view name, std::string_view text) {
  if (text.empty()) return sql_->remove_mark.with(queue, name).run() == 1;
  return sql_->set_mark.with(queue, name, text).run() == 1;
}

std::map<std::string, std::string> job_tables::marks(std::string_view queue) {
  std::map<std::string, std::string> all;
  auto& row = sql_->read_marks.with(queue);
  while (row.next()) all.emplace(row.bytes(0), row.bytes(1));
  return all;
}

/// After which row a page begins: one of this priority (of queued jobs) and place. As text: three numbers.
struct job_tables::place_in_list {
  std::int64_t priority = max_priority, place = std::numeric_limits<std::int64_t>::min(), number = 0;

  std::string text() const { return fmt::format("{} {} {}", priority, place, number); }
  static place_in_list from(std::string_view text) {
    place_in_list read;
    for (auto* each : {&read.priority, &read.place, &read.number}) {
      const auto end = std::from_chars(text.data(), text.data() + text.size(), *each).ptr;
      text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(end - text.data()) + 1));
    }
    return read;
  }
};

statement& job_tables::rows_after(std::string_view queue, job_state state, place_in_list& at,
                                  std::int64_t limit) {
  switch (state) {
    case job_state::queued:
      return sql_->page_queued.with(queue, at.priority, at.place, at.number, limit);
    case job_state::deferred:
      return sql_->page_deferred.with(queue, at.place, at.number, limit);
    case job_state::running:
      return sql_->page_running.with(queue, at.number, limit);
    default:
      return sql_->page_ended.with(queue, number_of(state), at.place, at.number, limit);
  }
}

job_page job_tables::page(std::string_view queue, job_state state, std::size_t max, std::string_view from,
                          time_point now) {
  auto at = place_in_list::from(from);
  if (from.empty() && is_final(state)) {
    at.place = number_of(now);
    at.number = std::numeric_limits<std::int64_t>::max();
  }
  job_page some;
  std::size_t bytes = 0;
  while (true) {
    const auto left = max - some.jobs.size();
    std::size_t rows = 0;
    auto& row = rows_after(queue, state, at, static_cast<std::int64_t>(left));
    while (bytes < bytes_of_page && row.next()) {
      ++rows;
      auto& job = some.jobs.emplace_back(details_of(row));
      bytes += job.record.size() + job.outcome.size();
      at.place = row.integer(11);
      at.number = row.integer(12);
    }
    row.reset();
    some.next = at.text();
    if (rows == left || bytes >= bytes_of_page) return some;
    some.next.clear();
    if (state != job_state::queued) return some;
    auto& lower = sql_->highest_queued.with(queue, at.priority - 1);
    if (!lower.next() || lower.null(0)) return some;
    at = place_in_list();
    at.priority = lower.integer(0);
    lower.reset();
  }
}

std::vector<queue_summary> job_tables::queues(time_point now, milliseconds uptime) {
  std::map<std::string, queue_summary> by_name;
  const auto count = [&](statement& row, auto member) {
    while (row.next()) by_name[row.bytes(0)].*member = static_cast<std::uint64_t>(row.integer(1));
  };
  count(sql_->count_queued.with(), &queue_summary::queued);
  count(sql_->count_deferred.with(), &queue_summary::deferred);
  count(sql_->count_running.with(), &queue_summary::running);
  count(sql_->count_workers.with(std::string_view(boot_), uptime.count()), &queue_summary::workers);
  auto& row = sql_->count_ended.with(number_of(now));
  while (row.next()) {
    auto& summary = by_name[row.bytes(0)];
    (row.integer(1) != 0 ? summary.dead : summary.kept) = static_cast<std::uint64_t>(row.integer(2));
  }
  auto& paused = sql_->list_paused.with();
  while (paused.next()) by_name[paused.bytes(0)].paused = true;
  std::vector<queue_summary> all;
  for (auto& [name, summary] : by_name) {
    summary.name = name;
    all.push_back(std::move(summary));
  }
  return all;
}

std::vector<worker_summary> job_tables::workers(std::string_view queue, milliseconds uptime) {
  std::vector<worker_summary> all;
  auto& row = sql_->list_workers.with(queue, std::string_view(boot_), uptime.count());
  while (row.next()) {
    auto& one = all.emplace_back();
    one.token = row.bytes(0);
    one.worker_info = row.bytes(1);
    one.expires_in = milliseconds(row.integer(2)) - uptime;
    one.running = static_cast<std::uint64_t>(row.integer(3));
    one.announcement = row.bytes(4);
  }
  return all;
}

std::size_t job_tables::requeue(std::string_view queue, std::span<const std::string> ids, time_point now,
                                changes& out) {
  std::size_t count = 0;
  for (const auto& id : ids) {
    count +=
        static_cast<std::size_t>(sql_->requeue_one.with(number_of(now), queue, std::string_view(id)).run());
  }
  if (count > 0) add_ready(queue, count, out);
  return count;
}

bool job_tables::set_paused(std::string_view queue, bool paused, time_point now, changes& out) {
  if (paused) return sql_->pause.with(queue, number_of(now)).run() == 1;
  if (sql_->resume.with(queue).run() == 0) return false;
  add_ready(queue, count_ready(queue, counted_to_wake, now), out);
  if (const auto due = next_due(queue)) add_deferred(queue, *due, out);
  return true;
}

bool job_tables::is_paused(std::string_view queue) {
  auto& row = sql_->is_paused.with(queue);
  const bool paused = row.next();
  row.reset();
  return paused;
}

void job_tables::forget_paused_work(changes& out) {
  std::erase_if(out.work, [this](const auto& one) { return is_paused(one.first); });
}

std::int64_t job_tables::highest_number() {
  auto& row = sql_->highest_number.with();
  row.next();
  const auto number = row.integer(0);
  row.reset();
  return number;
}

job_tables::piece job_tables::requeue_some(std::string_view queue, std::int64_t highest, time_point now,
                                           changes& out) {
  piece done;
  done.rows = static_cast<std::size_t>(
      sql_->requeue_some.with(number_of(now), queue, highest, static_cast<std::int64_t>(rows_of_piece))
          .run());
  done.count = done.rows;
  if (done.count > 0) add_ready(queue, done.count, out);
  return done;
}

job_tables::piece job_tables::purge_some(std::string_view queue, job_state state, std::int64_t highest,
                                         time_point now, changes& out) {
  const auto limit = static_cast<std::int64_t>(rows_of_piece);
  auto& row = state == job_state::queued     ? sql_->some_queued.with(queue, highest, limit)
              : state == job_state::deferred ? sql_->some_deferred.with(queue, highest, limit)
                                             : sql_->some_ended.with(queue, number_of(state), highest, limit);
  piece done;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> awaited;
  for (; row.next(); ++done.rows) {
    numbers.push_back(row.integer(0));
    if (row.integer(1) != 0) awaited.push_back(row.bytes(2));
    // For operators, expired jobs are gone already.
    if (row.null(3) || row.integer(3) > number_of(now)) ++done.count;
  }
  for (const auto number : numbers) sql_->delete_job.with(number).run();
  for (auto& id : awaited) publish({std::string(queue), std::move(id), std::nullopt}, now, out);
  return done;
}

std::size_t job_tables::purge_named(std::string_view queue, job_state state, std::span<const std::string> ids,
                                    time_point now, changes& out) {
  std::size_t count = 0;
  for (const auto& id : ids) {
    auto& row = sql_->find_in_state.with(queue, std::string_view(id), number_of(state));
    if (!row.next()) continue;
    const auto number = row.integer(0);
    const bool awaited = row.integer(1) != 0;
    // For operators, expired jobs are gone already.
    if (row.null(2) || row.integer(2) > number_of(now)) ++count;
    row.reset();
    sql_->delete_job.with(number).run();
    if (awaited) publish({std::string(queue), id, std::nullopt}, now, out);
  }
  return count;
}

std::uint64_t job_tables::count(std::string_view queue, job_state state, time_point now) {
  auto& row = state == job_state::queued     ? sql_->count_of_queued.with(queue)
              : state == job_state::deferred ? sql_->count_of_deferred.with(queue)
              : state == job_state::running
                  ? sql_->count_of_running.with(queue)
                  : sql_->count_of_ended.with(queue, number_of(state), number_of(now));
  row.next();
  const auto count = static_cast<std::uint64_t>(row.integer(0));
  row.reset();
  return count;
}

}  // namespace quarq::broker::sqlite
