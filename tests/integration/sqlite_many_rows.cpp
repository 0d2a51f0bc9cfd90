// Where the SQLite broker has very many rows to move or to remove, it does so in pieces, and until none are
// left.
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "broker/limits.hpp"
#include "broker/sqlite/operation.hpp"
#include "broker/sqlite/subscriptions.hpp"
#include "integration/sqlite_tables_test.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::sqlite_many_rows_tests {

namespace {

using bare_sqlite::bare_tables, bare_sqlite::now, bare_sqlite::steps_of;
namespace sqlite = broker::sqlite;

constexpr std::size_t pieces_and_a_bit = 2 * sqlite::rows_of_piece + sqlite::rows_of_piece / 2;

sqlite::database_settings settings_of(const std::string& file) {
  sqlite::database_settings settings;
  settings.file = file;
  settings.synchronous = 0;
  return settings;
}

/// Makes jobs that have ended in this state, of ids ended1, ended2...; the first are the oldest.
void make_ended(user_connection& db, std::size_t count, int state) {
  db.run(fmt::format(
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
             "INSERT INTO quarq_jobs (state, priority, place, enqueued_at, due_at, kept_until, queue, id, "
             "record, outcome) SELECT {}, 5, 0, 0, 0, 4000000000000 + i, 'q', 'ended' || i, x'', x'' FROM n",
             count, state)
             .c_str());
}
void make_dead(user_connection& db, std::size_t count) {
  make_ended(db, count, 7);
}

}  // namespace

TEST(sqlite_many_rows, jobs_that_are_due_become_ready_in_pieces) {
  bare_tables all;
  all.enqueue(pieces_and_a_bit, 1s);
  lease held{"q", "token"};
  all.tables.open_lease(held, lease_options(), 1h);
  const auto claimed = all.tables.claim(held, 10, now + 2s);
  EXPECT_EQ(claimed.jobs.size(), 10u);
  EXPECT_TRUE(claimed.next_due == 0ms);
  EXPECT_EQ(all.count(0) + all.count(2), static_cast<int>(sqlite::rows_of_piece));
}

TEST(sqlite_many_rows, a_claim_of_more_than_a_piece_gets_all_that_are_due) {
  bare_tables all;
  all.enqueue(pieces_and_a_bit, 1s);
  lease held{"q", "token"};
  all.tables.open_lease(held, lease_options(), 1h);
  EXPECT_EQ(all.tables.claim(held, pieces_and_a_bit + 1, now + 2s).jobs.size(), pieces_and_a_bit);
}

TEST(sqlite_many_rows, purges_and_requeues_touch_a_piece_at_a_time) {
  bare_tables all;
  all.enqueue(pieces_and_a_bit, 1s);
  const auto highest = all.tables.highest_number();
  all.tables.enqueue("q", jobs_named(strings(1, "later")), now, all.out);
  std::vector<std::size_t> pieces;
  do {
    pieces.push_back(all.tables.purge_some("q", job_state::deferred, highest, now, all.out).rows);
  } while (pieces.back() == sqlite::rows_of_piece);
  const std::vector<std::size_t> expected = {sqlite::rows_of_piece, sqlite::rows_of_piece,
                                             sqlite::rows_of_piece / 2};
  EXPECT_EQ(pieces, expected);

  make_dead(all.db, pieces_and_a_bit);
  const auto all_dead = all.tables.highest_number();
  const auto first = all.tables.requeue_some("q", all_dead, now, all.out);
  EXPECT_EQ(first.rows, sqlite::rows_of_piece);
  EXPECT_EQ(all.count(7), static_cast<int>(pieces_and_a_bit - sqlite::rows_of_piece));
}

TEST(sqlite_many_rows, of_many_pieces_the_first_and_a_last_step_wait_for_the_disk) {
  using kind = sqlite::operation::kind;
  using next = sqlite::operation::next;
  bare_tables all;
  sqlite::subscriptions nobody;
  sqlite::transaction tx{all.tables, now, 0ms, all.out};
  std::size_t pieces = 3;
  const auto steps_of = [&](kind asked_for) {
    sqlite::operation_in_pieces::worker work = [&](sqlite::transaction&, std::size_t done) {
      return sqlite::operation_in_pieces::piece{10, done + 1 < pieces};
    };
    sqlite::operation_in_pieces many(asked_for, std::move(work));
    std::vector<kind> steps;
    do {
      steps.push_back(many.needs);
      many.run(tx);
    } while (many.committed(nobody) == next::run_again);
    EXPECT_EQ(many.total, 10 * pieces);
    return steps;
  };
  const std::vector<kind> ends_durably = {kind::writes_durably, kind::writes, kind::writes,
                                          kind::writes_durably};
  EXPECT_EQ(steps_of(kind::writes_durably), ends_durably);
  EXPECT_EQ(steps_of(kind::writes), std::vector<kind>(3, kind::writes));
  pieces = 1;
  EXPECT_EQ(steps_of(kind::writes_durably), std::vector<kind>(1, kind::writes_durably));
}

TEST(sqlite_many_rows, a_sweep_costs_the_same_beside_very_many_kept_results) {
  const auto steps_beside = [](std::size_t kept) {
    bare_tables all;
    make_ended(all.db, kept, 3);
    all.db.run("UPDATE quarq_jobs SET state = 4 WHERE id = 'ended1'");
    return steps_of(all.db.get(), [&] { all.tables.sweep(now); });
  };
  const auto few = steps_beside(10);
  EXPECT_GT(few, 10);
  EXPECT_EQ(steps_beside(20'000), few);
}

TEST(sqlite_many_rows, the_last_step_writes_and_changes_nothing) {
  temp_dir folder;
  user_connection db(folder / "jobs.db"), other(folder / "jobs.db");
  db.run("PRAGMA journal_mode = WAL");
  sqlite::make_schema(db.get());
  sqlite::job_tables tables(db.get(), "boot");
  for (int i = 0; i < 2; ++i) {
    const auto before = other.number("PRAGMA data_version");
    db.run("BEGIN");
    tables.touch();
    db.run("COMMIT");
    EXPECT_NE(other.number("PRAGMA data_version"), before);
    EXPECT_EQ(other.number("SELECT count(*) FROM quarq_told"), 0);
  }
}

TEST(sqlite_many_rows, a_purge_sweeps_what_has_expired_where_no_worker_does) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(settings_of(file), loop);
    co_await store->queues();
    user_connection db(file);
    db.run(
        "INSERT INTO quarq_told (queue, id, state, outcome, until) VALUES ('q', 'old', 3, x'', 1), "
        "('q', 'new', 3, x'', 9000000000000000)");
    co_await store->purge("q", job_state::dead);
    auto is_gone = [&] { return db.number("SELECT count(*) FROM quarq_told WHERE id = 'old'") == 0; };
    co_await until(is_gone);
    EXPECT_EQ(db.number("SELECT count(*) FROM quarq_told"), 1);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_many_rows, a_purge_counts_all_its_pieces_tells_waiters_and_spares_what_came_later) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(settings_of(file), loop);
    co_await store->enqueue("q", numbered_jobs(pieces_and_a_bit));
    auto waiting = start_waiting(loop, store, "q", fmt::format("job{:05}", pieces_and_a_bit - 1));
    auto is_awaited = [db = std::make_shared<user_connection>(file)] {
      return db->number("SELECT count(*) FROM quarq_jobs WHERE awaited = 1") == 1;
    };
    co_await until(is_awaited);
    const auto count = co_await store->purge("q", job_state::queued);
    EXPECT_EQ(count, pieces_and_a_bit);
    auto notified = [&] { return waiting->over; };
    co_await until(notified);
    EXPECT_FALSE(waiting->outcome);
    const auto again = co_await store->purge("q", job_state::queued);
    EXPECT_EQ(again, 0u);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_many_rows, all_dead_jobs_are_requeued_and_counted) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(settings_of(file), loop);
    co_await enqueue_ids(*store, "other", strings(1, "makes the tables"));
    user_connection db(file);
    make_dead(db, pieces_and_a_bit);
    const auto count = co_await store->requeue("q", strings());
    EXPECT_EQ(count, pieces_and_a_bit);
    auto summary = co_await summary_of(*store, "q");
    EXPECT_EQ(summary.queued, pieces_and_a_bit);
    EXPECT_EQ(summary.dead, 0u);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_many_rows, one_renewal_removes_all_results_that_are_past_their_time) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto moment = std::make_shared<broker::time_point>(now);
    auto settings = settings_of(file);
    settings.times.wall = [moment] { return *moment; };
    auto store = open_alone(settings, loop);
    auto worker = co_await new_worker(store, "q");
    co_await store->enqueue("q", numbered_jobs(pieces_and_a_bit));
    auto ids = co_await claim_ids(worker, pieces_and_a_bit);
    std::vector<settlement> ends;
    for (const auto& id : ids) ends.push_back(end(id, job_state::succeeded, "kept", 1s));
    co_await store->settle(worker.held, ends);
    user_connection db(file);
    EXPECT_EQ(db.number("SELECT count(*) FROM quarq_jobs"), static_cast<int>(pieces_and_a_bit));
    *moment += 1s;
    co_await renew(worker);
    auto all_gone = [&] { return db.number("SELECT count(*) FROM quarq_jobs") == 0; };
    co_await until(all_gone);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_many_rows, the_oldest_of_too_many_dead_jobs_are_removed) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(settings_of(file), loop);
    auto worker = co_await new_worker(store, "q");
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    co_await claim_ids(worker, 1);
    user_connection db(file);
    make_dead(db, broker::max_dead + sqlite::rows_of_piece + 1);
    co_await settle_one(worker, end("job", job_state::dead, "why"));
    co_await renew(worker);
    auto bounded = [&] {
      return db.number("SELECT count(*) FROM quarq_jobs WHERE state = 7") ==
             static_cast<int>(broker::max_dead);
    };
    co_await until(bounded);
    // What make_dead() made is kept until far in the future, and so is newer than the one that died now.
    EXPECT_EQ(db.number("SELECT count(*) FROM quarq_jobs WHERE id IN ('job', 'ended1', 'ended501')"), 0);
    EXPECT_EQ(db.number("SELECT count(*) FROM quarq_jobs WHERE id = 'ended502'"), 1);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_many_rows, a_dead_job_is_kept_for_ninety_days) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto moment = std::make_shared<broker::time_point>(now);
    auto settings = settings_of(file);
    settings.times.wall = [moment] { return *moment; };
    auto store = open_alone(settings, loop);
    auto worker = co_await new_worker(store, "q");
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    co_await claim_ids(worker, 1);
    co_await settle_one(worker, end("job", job_state::dead, "why"));
    *moment += broker::dead_kept - 1ms;
    auto state = co_await state_of(*store, "q", "job");
    EXPECT_TRUE(state == job_state::dead);
    *moment += 1ms;
    state = co_await state_of(*store, "q", "job");
    EXPECT_FALSE(state);
    const auto requeued = co_await store->requeue("q", strings());
    EXPECT_EQ(requeued, 0u);
  };
  run_on_loop(body(folder / "jobs.db"));
}

}  // namespace quarq::test::sqlite_many_rows_tests
