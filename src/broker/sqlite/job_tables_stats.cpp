// What has happened, minute by minute.
#include <chrono>

#include "broker/sqlite/job_tables.hpp"
#include "broker/sqlite/statements.hpp"
#include "broker/stats_codec.hpp"

namespace quarq::broker::sqlite {

namespace {

std::int64_t minute_of_moment(time_point when) {
  return std::chrono::floor<std::chrono::minutes>(when.time_since_epoch()).count();
}

std::int64_t oldest_minute(std::int64_t now) {
  return now - std::chrono::minutes(stats_kept).count();
}

}  // namespace

void job_tables::add_stats(std::string_view queue, std::span<const task_counts> what, time_point now) {
  const auto minute = minute_of_moment(now);
  for (const auto& one : what) add_counts(queue, minute, one.task, one.counts);
  sql_->forget_counts.with(queue, oldest_minute(minute), static_cast<std::int64_t>(rows_of_piece)).run();
}

void job_tables::add_counts(std::string_view queue, std::int64_t minute, std::string_view task,
                            const task_stats& more) {
  task_stats sum = more;
  auto& known = sql_->read_counts.with(queue, minute, task);
  const bool is_known = known.next();
  if (is_known) sum.add(decode_counts(known.bytes(0)));
  known.reset();
  if (!is_known && task != other_tasks) {
    auto& tasks = sql_->count_tasks.with(queue, minute);
    tasks.next();
    const bool full = tasks.integer(0) >= static_cast<std::int64_t>(max_tasks_counted);
    tasks.reset();
    if (full) return add_counts(queue, minute, other_tasks, more);
  }
  const auto encoded = encode_counts(sum);
  sql_->write_counts.with(queue, minute, task, statement::blob{encoded}).run();
}

void job_tables::count_enqueued(const changes& of, time_point now) {
  const auto minute = minute_of_moment(now);
  for (const auto& [queue, tasks] : of.enqueued) {
    for (const auto& [task, count] : tasks) add_enqueued(queue, minute, task, count);
  }
}

// Nearly always the row is there: that is all that an enqueue pays for.
void job_tables::add_enqueued(std::string_view queue, std::int64_t minute, std::string_view task,
                              std::uint64_t count) {
  const auto more = static_cast<std::int64_t>(count);
  if (sql_->add_enqueued.with(more, queue, minute, task).run() > 0) return;
  auto& tasks = sql_->count_enqueued_tasks.with(queue, minute);
  tasks.next();
  const bool full = tasks.integer(0) >= static_cast<std::int64_t>(max_tasks_counted);
  tasks.reset();
  if (full && task != other_tasks) return add_enqueued(queue, minute, other_tasks, count);
  sql_->insert_enqueued.with(more, queue, minute, task).run();
  sql_->forget_enqueued.with(queue, oldest_minute(minute), static_cast<std::int64_t>(rows_of_piece)).run();
}

std::vector<task_minute> job_tables::stats(std::string_view queue, task_minute::time_point from,
                                           task_minute::time_point until) {
  using std::chrono::minutes;
  std::vector<task_minute> all;
  const auto first = from.time_since_epoch().count(), last = until.time_since_epoch().count();
  auto& row = sql_->read_minutes.with(queue, first, last);
  while (row.next()) {
    all.push_back(
        {task_minute::time_point(minutes(row.integer(0))), row.bytes(1), decode_counts(row.bytes(2))});
  }
  auto& enqueued = sql_->read_enqueued.with(queue, first, last);
  while (enqueued.next()) {
    auto& one = all.emplace_back();
    one.minute = task_minute::time_point(minutes(enqueued.integer(0)));
    one.task = enqueued.bytes(1);
    one.counts.enqueued = static_cast<std::uint64_t>(enqueued.integer(2));
  }
  merge_minutes(all);
  return all;
}

}  // namespace quarq::broker::sqlite
