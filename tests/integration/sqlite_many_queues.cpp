// What the SQLite broker does once a second, and at each commit of another process, where there are very many queues or workers.
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "broker/sqlite/subscriptions.hpp"
#include "integration/sqlite_tables_test.hpp"

namespace quarq::test::sqlite_many_queues_tests {

namespace {

using bare_sqlite::bare_tables, bare_sqlite::now, bare_sqlite::steps_of;
namespace sqlite = broker::sqlite;
using names = std::vector<std::string>;

constexpr milliseconds uptime = 1h;

names many_names(std::size_t count) {
  names all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(fmt::format("queue{:04}", i));
  return all;
}

/// A worker that waits for jobs of these queues, and what it is told.
struct waiting_worker {
  boost::asio::io_context loop;
  sqlite::subscriptions subscribed;
  broker::worker_lease held;
  names woken, cancelled;
  std::shared_ptr<broker::worker_events> events = std::make_shared<broker::worker_events>();

  waiting_worker(bare_tables& all, const names& queues) : held("token", queues) {
    events->work_ready = [this](const std::string& queue) { woken.push_back(queue); };
    events->cancel_requested = [this](const std::string& queue, const std::string& id) {
      cancelled.push_back(queue + '/' + id);
    };
    all.tables.open_lease(held, lease_options(), uptime);
    subscribed.open(held, async::loop_handle::make(loop.get_executor()), events);
    for (const auto& queue : queues) wait_for(queue);
  }
  void wait_for(const std::string& queue, std::optional<broker::time_point> next_due = std::nullopt) {
    subscribed.owe_event({queue, held.token}, next_due);
  }
  /// How many steps that takes.
  std::int64_t poll(bare_tables& all) {
    const auto steps = steps_of(all.db.get(), [&] { subscribed.poll(all.tables, now, uptime); });
    loop.restart();
    loop.poll();
    return steps;
  }
};

void enqueue_one(bare_tables& all, const std::string& queue, milliseconds delay = 0ms) {
  auto jobs = jobs_named(strings(1, "job"));
  jobs.front().delay = delay;
  all.tables.enqueue(queue, jobs, now, all.out);
}

/// So many workers' leases.
void open_leases(bare_tables& all, std::size_t count) {
  all.db.run("BEGIN");
  for (std::size_t i = 0; i < count; ++i)
    all.tables.open_lease({fmt::format("token{:04}", i), strings(1, "q")}, lease_options(), uptime);
  all.db.run("COMMIT");
}

sqlite::changes renew(bare_tables& all, const std::string& token, milliseconds at) {
  sqlite::changes out;
  all.tables.renew({token, strings(1, "q")}, lease_options(), now, at, out);
  return out;
}

}  // namespace

TEST(sqlite_many_queues, a_look_at_the_work_of_others_costs_what_there_is_to_do) {
  const auto steps_of_look = [](std::size_t queues) {
    bare_tables all;
    const auto every = many_names(queues);
    waiting_worker worker(all, every);
    enqueue_one(all, every.back());
    const auto steps = worker.poll(all);
    EXPECT_EQ(worker.woken, names(1, every.back()));
    return steps;
  };
  const auto of_one = steps_of_look(1), of_many = steps_of_look(1'000);
  EXPECT_GT(of_one, 10);
  EXPECT_LT(of_many, 2 * of_one);
}

TEST(sqlite_many_queues, nor_does_it_cost_more_where_others_have_very_many_queues) {
  const auto steps_beside = [](std::size_t queues) {
    bare_tables all;
    waiting_worker worker(all, names(1, "mine"));
    for (const auto& queue : many_names(queues)) enqueue_one(all, queue);
    enqueue_one(all, "mine");
    const auto steps = worker.poll(all);
    EXPECT_EQ(worker.woken, names(1, "mine"));
    return steps;
  };
  EXPECT_EQ(steps_beside(1'000), steps_beside(1));
}

TEST(sqlite_many_queues, each_queue_with_work_is_told_and_no_other) {
  bare_tables all;
  const std::string with_zero("d\0b", 3);
  waiting_worker worker(all, {"a", "b", "d", with_zero, "f", "g", "h"});
  worker.wait_for("f", now + 1h);
  worker.wait_for("g", now + 1h);
  for (const auto* queue : {"0", "b", "c", "d", "e", "i"}) enqueue_one(all, queue);
  enqueue_one(all, with_zero);
  enqueue_one(all, "f", 2h);
  enqueue_one(all, "g", 30min);
  worker.poll(all);
  EXPECT_EQ(worker.woken, (names{"b", "d", with_zero, "g"}));
  // None of those is owed one more.
  worker.woken.clear();
  worker.poll(all);
  EXPECT_EQ(worker.woken, names());
  worker.wait_for("d");
  worker.poll(all);
  EXPECT_EQ(worker.woken, names(1, "d"));
}

TEST(sqlite_many_queues, a_request_to_cancel_is_told_once) {
  bare_tables all;
  waiting_worker worker(all, {"a", "b"});
  for (const auto* queue : {"a", "b"}) {
    enqueue_one(all, queue);
    all.tables.claim({queue, "token"}, 1, now);
  }
  worker.poll(all);
  EXPECT_EQ(worker.cancelled, names());
  all.tables.cancel("b", "job", {}, now, all.out);
  for (int i = 0; i < 2; ++i) worker.poll(all);
  EXPECT_EQ(worker.cancelled, names(1, "b/job"));
  all.tables.cancel("a", "job", {}, now, all.out);
  worker.poll(all);
  EXPECT_EQ(worker.cancelled, (names{"b/job", "a/job"}));
  worker.subscribed.close(worker.held);
  worker.poll(all);
  EXPECT_EQ(worker.cancelled.size(), 2u);
}

TEST(sqlite_many_queues, of_many_workers_the_first_in_fifty_milliseconds_looks_for_lost_leases) {
  const auto is_found_at = [](std::size_t others, std::initializer_list<milliseconds> renewals) {
    bare_tables all;
    open_leases(all, others);
    lease_options terms;
    terms.duration = 110ms;
    all.tables.open_lease({"lost", strings(1, "q")}, terms, uptime);
    for (const auto at : renewals) renew(all, "token0000", uptime + at);
    return all.db.number("SELECT count(*) FROM quarq_leases WHERE token = 'lost'") == 0;
  };
  for (const std::size_t few : {std::size_t{1}, sqlite::max_looking - 1}) {
    EXPECT_FALSE(is_found_at(few, {101ms, 109ms}));
    EXPECT_TRUE(is_found_at(few, {101ms, 112ms}));
  }
  EXPECT_FALSE(is_found_at(sqlite::max_looking, {101ms, 112ms, 149ms}));
  EXPECT_TRUE(is_found_at(sqlite::max_looking, {101ms, 112ms, 150ms}));
  EXPECT_TRUE(is_found_at(1'000, {112ms}));
}

TEST(sqlite_many_queues, of_many_workers_the_first_in_a_second_removes_what_has_expired) {
  bare_tables all;
  open_leases(all, 1'000);
  EXPECT_FALSE(renew(all, "token0000", uptime + 900ms).sweep_due);
  EXPECT_TRUE(renew(all, "token0001", uptime + 1'001ms).sweep_due);
  EXPECT_FALSE(renew(all, "token0002", uptime + 1'002ms).sweep_due);
  EXPECT_FALSE(renew(all, "token0003", uptime + 1'999ms).sweep_due);
  EXPECT_TRUE(renew(all, "token0004", uptime + 2'000ms).sweep_due);
}

TEST(sqlite_many_queues, a_renewal_among_very_many_workers_costs_what_it_costs_alone) {
  const auto steps_among = [](std::size_t leases) {
    bare_tables all;
    open_leases(all, leases);
    renew(all, "token0000", uptime + 10ms);
    return steps_of(all.db.get(), [&] { renew(all, "token0000", uptime + 11ms); });
  };
  EXPECT_LT(steps_among(1'000), 2 * steps_among(1));
}

TEST(sqlite_many_queues, no_statement_is_compiled_again_for_other_values) {
  sqlite::database file(":memory:");
  sqlite::make_schema(file.get());
  sqlite::job_tables tables(file.get(), "boot");
  sqlite::changes out;
  const lease held{"q", "token"};
  tables.open_lease({held.token, strings(1, held.queue)}, lease_options(), uptime);
  for (int i = 0; i < 3; ++i) {
    tables.enqueue("q", jobs_named(strings(1, fmt::format("job{}", i))), now, out);
    broker::settlement kept;
    kept.id = tables.claim(held, 1, now).jobs.at(0).id;
    kept.keep = 1ms;
    tables.settle(held, std::span(&kept, 1), now, out);
    tables.page("q", job_state::succeeded, 10, "", now);
    tables.count("q", job_state::succeeded, now);
    tables.sweep(now + 1s);
    tables.purge_some("q", job_state::dead, tables.highest_number(), now, out);
  }
  int compiled_again = 0;
  for (auto* one = sqlite3_next_stmt(file.get(), nullptr); one; one = sqlite3_next_stmt(file.get(), one))
    compiled_again += sqlite3_stmt_status(one, SQLITE_STMTSTATUS_REPREPARE, 0);
  EXPECT_EQ(compiled_again, 0);
}

}  // namespace quarq::test::sqlite_many_queues_tests
