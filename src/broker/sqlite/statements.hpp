// The SQL of job_tables. The states are job_state's numbers; they stand as literals where a partial index is
// to be used. `place` orders: of a ready job the moment it became ready, of a deferred one the moment it
// will.
#pragma once

#include "broker/broker.hpp"
#include "broker/sqlite/database.hpp"

namespace quarq::broker::sqlite {

/// How a value is stored: a moment as milliseconds since 1970, a state as its number.
using optional_number = std::optional<std::int64_t>;
inline std::int64_t number_of(time_point when) {
  return when.time_since_epoch().count();
}
inline optional_number number_of(const std::optional<time_point>& when) {
  return when ? optional_number(number_of(*when)) : std::nullopt;
}
inline int number_of(job_state state) {
  return static_cast<int>(state);
}
inline time_point moment_of(std::int64_t number) {
  return time_point(milliseconds(number));
}

struct statements {
  explicit statements(sqlite3* handle) : db(handle) {}
  sqlite3* db;

  statement insert_job{
      db,
      "INSERT INTO quarq_jobs (state, priority, place, enqueued_at, due_at, expires_at, queue, id, record) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (queue, id) DO NOTHING"};
  statement delete_outdated{db, "DELETE FROM quarq_jobs WHERE queue = ? AND id = ? AND +kept_until <= ?"};
  statement find_job{db,
                     "SELECT number, state, awaited, lease, outcome FROM quarq_jobs "
                     "WHERE queue = ? AND id = ? AND (kept_until IS NULL OR kept_until > ?)"};
  statement mark_awaited{db, "UPDATE quarq_jobs SET awaited = 1 WHERE number = ?"};
  statement mark_cancel{db,
                        "UPDATE quarq_jobs SET cancel_wanted = 1, cancel_keep = ?, cancel_outcome = ? "
                        "WHERE number = ? AND cancel_wanted = 0"};
  statement delete_job{db, "DELETE FROM quarq_jobs WHERE number = ?"};
  statement insert_notice{db,
                          "INSERT INTO quarq_told (queue, id, state, outcome, until) VALUES (?, ?, ?, ?, ?)"};

  statement upsert_lease{
      db,
      "INSERT INTO quarq_leases (token, boot, until, duration, card, tasks) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (token) DO UPDATE SET boot = excluded.boot, until = excluded.until, "
      "duration = excluded.duration, spared = 0, card = excluded.card, tasks = excluded.tasks"};
  statement serve{db, "INSERT INTO quarq_served (queue, lease) VALUES (?, ?) ON CONFLICT DO NOTHING"};
  statement extend_lease{db,
                         "UPDATE quarq_leases SET boot = ?, until = ?, duration = ?, spared = 0, card = ? "
                         "WHERE token = ?"};
  statement last_heard{db, "SELECT at FROM quarq_heard WHERE boot = ?"};
  statement note_heard{db,
                       "INSERT INTO quarq_heard (one, boot, at) VALUES (1, ?, ?) "
                       "ON CONFLICT (one) DO UPDATE SET boot = excluded.boot, at = excluded.at"};
  statement spare_leases{db,
                         "UPDATE quarq_leases SET until = ?1 + duration, spared = spared + 1 "
                         "WHERE boot = ?2 AND spared < ?3"};
  statement lease_of_token{db, "SELECT number FROM quarq_leases WHERE token = ?"};
  statement find_lease{db,
                       "SELECT l.number FROM quarq_leases l CROSS JOIN quarq_served s "
                       "WHERE l.token = ? AND s.queue = ? AND s.lease = l.number"};
  statement token_of{db, "SELECT token FROM quarq_leases WHERE number = ?"};
  statement lost_leases{db, "SELECT number FROM quarq_leases WHERE boot <> ? OR until <= ? LIMIT ?"};
  statement count_leases{db, "SELECT count(*) FROM quarq_leases"};
  statement delete_lease{db, "DELETE FROM quarq_leases WHERE number = ?"};
  statement stop_serving{db, "DELETE FROM quarq_served WHERE lease = ?"};

  statement promote{db,
                    "UPDATE quarq_jobs SET state = 0 WHERE number IN (SELECT number FROM quarq_jobs "
                    "WHERE queue = ? AND state = 1 AND place <= ? ORDER BY place LIMIT ?)"};
  statement first_ready{
      db,
      "SELECT id, record, tries, priority, enqueued_at, due_at, expires_at, losses, outcome "
      "FROM quarq_jobs WHERE queue = ? AND state = 0 ORDER BY priority DESC, place, number LIMIT ?"};
  statement take{db,
                 "UPDATE quarq_jobs SET state = 2, lease = ?, tries = tries + 1, unstarted = losses >= ? "
                 "WHERE number IN (SELECT number FROM quarq_jobs "
                 "WHERE queue = ? AND state = 0 ORDER BY priority DESC, place, number LIMIT ?)"};
  statement first_due{db,
                      "SELECT place FROM quarq_jobs WHERE queue = ? AND state = 1 ORDER BY place LIMIT 1"};
  // The index leads from one queue to the next that has any.
  statement next_waiting{
      db,
      "SELECT min(queue) FROM (SELECT queue FROM (SELECT queue FROM quarq_jobs INDEXED BY quarq_jobs_ready "
      "WHERE state = 0 AND queue >= ?1 ORDER BY queue LIMIT 1) UNION ALL "
      "SELECT queue FROM (SELECT queue FROM quarq_jobs INDEXED BY quarq_jobs_deferred "
      "WHERE state = 1 AND queue >= ?1 ORDER BY queue LIMIT 1))"};
  statement count_ready_now{
      db, "SELECT count(*) FROM (SELECT 1 FROM quarq_jobs WHERE queue = ? AND state = 0 LIMIT ?)"};
  statement count_due{
      db,
      "SELECT count(*) FROM (SELECT 1 FROM quarq_jobs WHERE queue = ? AND state = 1 AND place <= ? LIMIT ?)"};

  // The fence: a job is settled by naming the lease that it is held under.
  statement end_unawaited{db,
                          "DELETE FROM quarq_jobs WHERE queue = ? AND id = ? AND lease = ? AND awaited = 0"};
  statement find_held{db,
                      "SELECT number, awaited, cancel_wanted, cancel_keep, cancel_outcome FROM quarq_jobs "
                      "WHERE queue = ? AND id = ? AND lease = ?"};
  statement keep{
      db,
      "UPDATE quarq_jobs SET state = ?, lease = NULL, awaited = 0, cancel_wanted = 0, cancel_keep = NULL, "
      "cancel_outcome = NULL, kept_until = ?, record = x'', outcome = ? WHERE number = ?"};
  statement keep_unawaited{
      db,
      "UPDATE quarq_jobs SET state = ?, lease = NULL, cancel_wanted = 0, cancel_keep = NULL, "
      "cancel_outcome = NULL, kept_until = ?, record = x'', outcome = ? "
      "WHERE queue = ? AND id = ? AND lease = ? AND awaited = 0"};
  statement bury{
      db,
      "UPDATE quarq_jobs SET state = 7, lease = NULL, awaited = 0, cancel_wanted = 0, cancel_keep = NULL, "
      "cancel_outcome = NULL, kept_until = ?, outcome = ? WHERE number = ?"};
  statement begin{
      db, "UPDATE quarq_jobs SET unstarted = 0 WHERE queue = ? AND id = ? AND lease = ? AND unstarted = 1"};
  statement put_off{db,
                    "UPDATE quarq_jobs SET state = 1, lease = NULL, place = ?, outcome = ? WHERE number = ?"};
  statement give_back{db,
                      "UPDATE quarq_jobs SET state = 0, lease = NULL, tries = tries - 1 WHERE number = ?"};
  statement put_off_uncounted{
      db, "UPDATE quarq_jobs SET state = 1, lease = NULL, tries = tries - 1, place = ? WHERE number = ?"};
  statement give_back_lease{db,
                            "UPDATE quarq_jobs SET state = 0, lease = NULL, tries = tries - 1, "
                            "losses = losses + (? AND NOT unstarted) WHERE state = 2 AND lease = ?"};
  statement held_by{db, "SELECT id FROM quarq_jobs WHERE state = 2 AND lease = ? AND queue = ?"};
  statement count_held_by{db,
                          "SELECT queue, count(*), sum(NOT unstarted) FROM quarq_jobs WHERE state = 2 AND "
                          "lease = ? GROUP BY queue"};
  statement any_to_cancel{db, "SELECT 1 FROM quarq_jobs WHERE cancel_wanted = 1 LIMIT 1"};
  statement to_cancel{db,
                      "SELECT number, awaited, queue, id, cancel_keep, cancel_outcome FROM quarq_jobs "
                      "WHERE cancel_wanted = 1 AND lease = ?"};

  // In two parts, and the index leads to each. For (queue, state) > (?, ?) SQLite walks by all rows of that
  // queue and state.
  statement next_ended{
      db,
      "SELECT queue, state FROM (SELECT queue, state FROM quarq_jobs INDEXED BY quarq_jobs_ended "
      "WHERE kept_until IS NOT NULL AND queue = ?1 AND state > ?2 ORDER BY state LIMIT 1) UNION ALL "
      "SELECT queue, state FROM (SELECT queue, state FROM quarq_jobs INDEXED BY quarq_jobs_ended "
      "WHERE kept_until IS NOT NULL AND queue > ?1 ORDER BY queue, state LIMIT 1) LIMIT 1"};
  statement sweep_kept{
      db,
      "DELETE FROM quarq_jobs WHERE number IN (SELECT number FROM quarq_jobs "
      "WHERE queue = ? AND state = ? AND kept_until IS NOT NULL AND kept_until <= ? LIMIT ?)"};
  statement sweep_notice{
      db, "DELETE FROM quarq_told WHERE number IN (SELECT number FROM quarq_told WHERE until <= ? LIMIT ?)"};
  statement trim_dead{db,
                      "DELETE FROM quarq_jobs WHERE number IN (SELECT number FROM quarq_jobs "
                      "WHERE queue = ? AND state = 7 AND kept_until IS NOT NULL "
                      "ORDER BY kept_until DESC LIMIT ? OFFSET ?)"};
  statement read_notice{
      db, "SELECT number, queue, id, state, outcome FROM quarq_told WHERE number > ? ORDER BY number"};
  statement read_last_notice{db, "SELECT coalesce(max(number), 0) FROM quarq_told"};
  statement data_version{db, "PRAGMA main.data_version"};

  // ---- what has happened

  statement read_counts{db, "SELECT counts FROM quarq_stats WHERE queue = ? AND minute = ? AND task = ?"};
  statement count_tasks{db, "SELECT count(*) FROM quarq_stats WHERE queue = ? AND minute = ?"};
  statement write_counts{db,
                         "INSERT INTO quarq_stats (queue, minute, task, counts) VALUES (?, ?, ?, ?) "
                         "ON CONFLICT (queue, minute, task) DO UPDATE SET counts = excluded.counts"};
  statement forget_counts{
      db,
      "DELETE FROM quarq_stats WHERE queue = ?1 AND (minute, task) IN (SELECT minute, task FROM quarq_stats "
      "WHERE queue = ?1 AND minute < ?2 LIMIT ?3)"};
  statement add_enqueued{
      db, "UPDATE quarq_enqueued SET count = count + ? WHERE queue = ? AND minute = ? AND task = ?"};
  statement count_enqueued_tasks{db, "SELECT count(*) FROM quarq_enqueued WHERE queue = ? AND minute = ?"};
  statement insert_enqueued{db,
                            "INSERT INTO quarq_enqueued (count, queue, minute, task) VALUES (?, ?, ?, ?)"};
  statement forget_enqueued{
      db,
      "DELETE FROM quarq_enqueued WHERE queue = ?1 AND (minute, task) IN (SELECT minute, task FROM "
      "quarq_enqueued WHERE queue = ?1 AND minute < ?2 LIMIT ?3)"};
  statement read_enqueued{
      db, "SELECT minute, task, count FROM quarq_enqueued WHERE queue = ? AND minute >= ? AND minute < ?"};
  statement read_minutes{db,
                         "SELECT minute, task, counts FROM quarq_stats "
                         "WHERE queue = ? AND minute >= ? AND minute < ? ORDER BY minute, task"};

  // ---- for operators

  statement count_of_queued{db, "SELECT count(*) FROM quarq_jobs WHERE queue = ? AND state = 0"};
  statement count_of_deferred{db, "SELECT count(*) FROM quarq_jobs WHERE queue = ? AND state = 1"};
  statement count_of_running{db,
                             "SELECT count(*) FROM quarq_served s CROSS JOIN quarq_jobs j "
                             "WHERE s.queue = ?1 AND j.lease = s.lease AND j.state = 2 AND j.queue = ?1"};
  statement count_of_ended{
      db, "SELECT count(*) FROM quarq_jobs WHERE queue = ? AND state = ? AND kept_until > ?"};
  statement find_in_state{db,
                          "SELECT number, awaited, kept_until FROM quarq_jobs "
                          "WHERE queue = ? AND id = ? AND state = ?"};
  statement inspect{
      db,
      "SELECT j.id, j.state, j.record, j.outcome, j.tries, j.priority, j.enqueued_at, j.place, "
      "j.expires_at, l.token, j.losses, "
      "(SELECT n.text FROM quarq_notes n WHERE n.queue = j.queue AND n.id = j.id AND j.kept_until IS NULL) "
      "FROM quarq_jobs j LEFT JOIN quarq_leases l ON l.number = j.lease "
      "WHERE j.queue = ? AND j.id = ? AND (j.kept_until IS NULL OR j.kept_until > ?)"};
  // A page begins after a place and the number of a row there. In two parts, as very many rows may be at one
  // place, and each part has an index that leads there.
  statement highest_queued{
      db, "SELECT max(priority) FROM quarq_jobs WHERE queue = ? AND state = 0 AND priority <= ?"};
  statement page_queued{db,
                        "SELECT id, state, record, outcome, tries, priority, enqueued_at, place, expires_at, "
                        "NULL, losses, place, "
                        "number FROM quarq_jobs WHERE queue = ?1 AND state = 0 AND priority = ?2 "
                        "AND place = ?3 AND number > ?4 UNION ALL "
                        "SELECT id, state, record, outcome, tries, priority, enqueued_at, place, expires_at, "
                        "NULL, losses, place, "
                        "number FROM quarq_jobs WHERE queue = ?1 AND state = 0 AND priority = ?2 "
                        "AND place > ?3 ORDER BY place, number LIMIT ?5"};
  statement page_deferred{db,
                          "SELECT id, state, record, outcome, tries, priority, enqueued_at, place, "
                          "expires_at, NULL, losses, place, "
                          "number FROM quarq_jobs WHERE queue = ?1 AND state = 1 "
                          "AND place = ?2 AND number > ?3 UNION ALL "
                          "SELECT id, state, record, outcome, tries, priority, enqueued_at, place, "
                          "expires_at, NULL, losses, place, "
                          "number FROM quarq_jobs WHERE queue = ?1 AND state = 1 "
                          "AND place > ?2 ORDER BY place, number LIMIT ?4"};
  statement page_running{
      db,
      "SELECT j.id, j.state, j.record, j.outcome, j.tries, j.priority, j.enqueued_at, j.place, "
      "j.expires_at, l.token, j.losses, 0, j.number "
      "FROM quarq_served s CROSS JOIN quarq_leases l CROSS JOIN quarq_jobs j "
      "WHERE s.queue = ?1 AND l.number = s.lease AND j.lease = s.lease AND j.state = 2 AND j.queue = ?1 "
      "AND j.number > ?2 ORDER BY j.number LIMIT ?3"};
  statement page_ended{db,
                       "SELECT id, state, record, outcome, tries, priority, enqueued_at, place, expires_at, "
                       "NULL, losses, kept_until, "
                       "number FROM quarq_jobs WHERE queue = ?1 AND state = ?2 "
                       "AND kept_until = ?3 AND number > ?4 UNION ALL "
                       "SELECT id, state, record, outcome, tries, priority, enqueued_at, place, expires_at, "
                       "NULL, losses, kept_until, "
                       "number FROM quarq_jobs WHERE queue = ?1 AND state = ?2 "
                       "AND kept_until > ?3 ORDER BY kept_until, number LIMIT ?5"};
  statement keep_note{
      db,
      "INSERT INTO quarq_notes (queue, id, text, until) SELECT queue, id, ?, ? FROM quarq_jobs "
      "WHERE queue = ? AND id = ? AND state = 2 AND lease = ? "
      "ON CONFLICT (queue, id) DO UPDATE SET text = excluded.text, until = excluded.until"};
  statement read_note{db, "SELECT text FROM quarq_notes WHERE queue = ? AND id = ?"};
  statement forget_note{db, "DELETE FROM quarq_notes WHERE queue = ? AND id = ?"};
  statement sweep_notes{db,
                        "DELETE FROM quarq_notes WHERE (queue, id) IN "
                        "(SELECT queue, id FROM quarq_notes WHERE until <= ? LIMIT ?)"};
  statement set_mark{db,
                     "INSERT INTO quarq_marks (queue, name, text) VALUES (?, ?, ?) "
                     "ON CONFLICT (queue, name) DO UPDATE SET text = excluded.text "
                     "WHERE text <> excluded.text"};
  statement remove_mark{db, "DELETE FROM quarq_marks WHERE queue = ? AND name = ?"};
  statement read_marks{db, "SELECT name, text FROM quarq_marks WHERE queue = ?"};
  statement pause{db,
                  "INSERT INTO quarq_meta (name, value) VALUES ('paused:' || ?, ?) ON CONFLICT DO NOTHING"};
  statement resume{db, "DELETE FROM quarq_meta WHERE name = 'paused:' || ?"};
  statement is_paused{db, "SELECT 1 FROM quarq_meta WHERE name = 'paused:' || ?"};
  statement list_paused{
      db, "SELECT substr(name, 8) FROM quarq_meta WHERE name >= 'paused:' AND name < 'paused;'"};
  statement count_queued{db, "SELECT queue, count(*) FROM quarq_jobs WHERE state = 0 GROUP BY queue"};
  statement count_deferred{db, "SELECT queue, count(*) FROM quarq_jobs WHERE state = 1 GROUP BY queue"};
  statement count_running{db,
                          "SELECT j.queue, count(*) FROM quarq_leases l CROSS JOIN quarq_jobs j "
                          "WHERE j.lease = l.number AND j.state = 2 GROUP BY j.queue"};
  statement count_ended{db,
                        "SELECT queue, state = 7, count(*) FROM quarq_jobs INDEXED BY quarq_jobs_ended "
                        "WHERE kept_until > ? GROUP BY queue, state = 7"};
  statement count_workers{db,
                          "SELECT s.queue, count(*) FROM quarq_leases l CROSS JOIN quarq_served s "
                          "WHERE l.boot = ? AND l.until > ? AND s.lease = l.number GROUP BY s.queue"};
  statement list_workers{db,
                         "SELECT l.token, l.card, l.until, (SELECT count(*) FROM quarq_jobs j "
                         "WHERE j.state = 2 AND j.lease = l.number AND j.queue = s.queue), l.tasks "
                         "FROM quarq_served s CROSS JOIN quarq_leases l "
                         "WHERE s.queue = ? AND l.number = s.lease AND l.boot = ? AND l.until > ?"};
  statement requeue_one{db,
                        "UPDATE quarq_jobs SET state = 0, tries = 0, losses = 0, outcome = NULL, kept_until "
                        "= NULL, place = ?1, "
                        "expires_at = ?1 + (expires_at - due_at), due_at = ?1 "
                        "WHERE queue = ?2 AND id = ?3 AND state = 7 AND kept_until > ?1"};
  statement highest_number{db, "SELECT coalesce(max(number), 0) FROM quarq_jobs"};
  statement requeue_some{
      db,
      "UPDATE quarq_jobs SET state = 0, tries = 0, losses = 0, outcome = NULL, kept_until = NULL, place = "
      "?1, "
      "expires_at = ?1 + (expires_at - due_at), due_at = ?1 "
      "WHERE number IN (SELECT number FROM quarq_jobs WHERE queue = ?2 AND state = 7 AND kept_until > ?1 "
      "AND number <= ?3 LIMIT ?4)"};
  statement some_queued{db,
                        "SELECT number, awaited, id, NULL FROM quarq_jobs "
                        "WHERE queue = ? AND state = 0 AND number <= ? LIMIT ?"};
  statement some_deferred{db,
                          "SELECT number, awaited, id, NULL FROM quarq_jobs "
                          "WHERE queue = ? AND state = 1 AND number <= ? LIMIT ?"};
  statement some_ended{db,
                       "SELECT number, awaited, id, kept_until FROM quarq_jobs "
                       "WHERE queue = ? AND state = ? AND kept_until IS NOT NULL AND number <= ? LIMIT ?"};
};

}  // namespace quarq::broker::sqlite
