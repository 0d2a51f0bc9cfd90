// The part of job_tables that shows and tidies.
#include <set>

#include "broker/sqlite/job_tables.hpp"
#include "broker/sqlite/statements.hpp"

namespace quarq::broker::sqlite {

namespace {

/// A row of `inspect` and of the `list_...` statements.
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
  row.reset();
  return job;
}

std::vector<job_details> job_tables::list(std::string_view queue, job_state state, std::size_t max,
                                          time_point now) {
  const auto limit = static_cast<std::int64_t>(std::min<std::size_t>(max, INT64_MAX));
  const auto rows = [&]() -> statement& {
    switch (state) {
      case job_state::queued:
        return sql_->list_queued.with(queue, limit);
      case job_state::deferred:
        return sql_->list_deferred.with(queue, limit);
      case job_state::running:
        return sql_->list_running.with(queue, limit);
      default:
        return sql_->list_ended.with(queue, number_of(state), number_of(now), limit);
    }
  };
  std::vector<job_details> all;
  auto& row = rows();
  while (row.next()) all.push_back(details_of(row));
  return all;
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
    // What is past its time is gone already, as far as operators can tell.
    if (row.null(3) || row.integer(3) > number_of(now)) ++done.count;
  }
  for (const auto number : numbers) sql_->delete_job.with(number).run();
  for (auto& id : awaited) publish({std::string(queue), std::move(id), std::nullopt}, now, out);
  return done;
}

}  // namespace quarq::broker::sqlite
