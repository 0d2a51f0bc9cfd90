// What does not fit into a row, or not onto the disk, of the SQLite broker.
#include <csignal>
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <sys/resource.h>

#include "integration/sqlite_test.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::sqlite_limit_tests {

namespace {

using reason = broker_error::reason;

constexpr int max_row = 1'000'000;
constexpr std::size_t max_payload = max_row - 4'096;

broker::sqlite::database_settings small_rows(const std::string& file) {
  broker::sqlite::database_settings settings;
  settings.file = file;
  settings.max_row = max_row;
  return settings;
}

new_job job_of(std::string id, std::size_t size) {
  auto job = job_named(std::move(id));
  job.record.assign(size, 'r');
  return job;
}

settlement end_of(std::string id, std::size_t size, job_state state = job_state::succeeded) {
  auto one = end(std::move(id), state, "", 1h);
  one.outcome.assign(size, 'o');
  return one;
}

/// No file may grow past this: the kernel's own way to have a full disk.
class full_disk {
 public:
  explicit full_disk(rlim_t longest_file) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    auto small = before_;
    small.rlim_cur = longest_file;
    setrlimit(RLIMIT_FSIZE, &small);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;
  ~full_disk() { free(); }
  void free() const { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST(sqlite_limits, a_call_that_fits_into_no_row_is_refused_by_its_size) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(small_rows(file), loop);
    auto text = co_await error_of<usage_error>(enqueue_one(*store, "q", job_of("big", max_payload + 1)));
    EXPECT_PRED2(holds, text, "\"big\"");
    EXPECT_PRED2(holds, text, std::to_string(max_payload + 1));
    EXPECT_PRED2(holds, text, std::to_string(max_payload));
    auto fits = co_await enqueue_one(*store, "q", job_of("fits", max_payload));
    EXPECT_EQ(fits, accepted::yes);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_limits, an_outcome_that_fits_into_no_row_is_refused_and_the_job_may_end_otherwise) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(small_rows(file), loop);
    const strings ids = {"small", "big"};
    co_await enqueue_ids(*store, "q", ids);
    auto worker = co_await new_worker(store, "q");
    co_await claim_ids(worker, 2);
    std::vector<settlement> both;
    both.push_back(end_of("small", 10));
    both.push_back(end_of("big", max_payload + 1));
    auto said = co_await refusal_of(store->settle(worker.held, both));
    EXPECT_EQ(said.why, reason::refused);
    EXPECT_PRED2(holds, said.text, "\"big\"");
    EXPECT_PRED2(holds, said.text, std::to_string(max_payload));
    const bool small = co_await settle_one(worker, end_of("small", 10));
    EXPECT_TRUE(small);
    const bool big = co_await settle_one(worker, end_of("big", max_payload));
    EXPECT_TRUE(big);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_limits, a_dead_jobs_call_and_outcome_must_fit_together) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(small_rows(file), loop);
    co_await enqueue_one(*store, "q", job_of("job", max_row * 2 / 3));
    auto worker = co_await new_worker(store, "q");
    co_await claim_ids(worker, 1);
    auto said = co_await refusal_of(settle_one(worker, end_of("job", max_row * 2 / 3, job_state::dead)));
    EXPECT_EQ(said.why, reason::refused);
    const bool held = co_await settle_one(worker, end_of("job", 100, job_state::dead));
    EXPECT_TRUE(held);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_limits, a_file_that_is_opened_on_a_full_disk_is_usable_once_there_is_room) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    broker::sqlite::database_settings settings;
    settings.file = file;
    auto store = open_alone(settings, loop);
    const full_disk full(2'000);
    auto said = co_await refusal_of(enqueue_one(*store, "q", job_named("job")));
    EXPECT_EQ(said.why, reason::full) << said.text;
    const lease held{"q", "token"};
    const lease_options terms;
    broker::worker_events events;
    said = co_await refusal_of(store->open_lease(held, terms, std::move(events)));
    EXPECT_EQ(said.why, reason::full) << said.text;
    full.free();
    auto answer = co_await enqueue_one(*store, "q", job_named("job"));
    EXPECT_EQ(answer, accepted::yes);
    auto summary = co_await summary_of(*store, "q");
    EXPECT_EQ(summary.queued, 1u);
    EXPECT_EQ(summary.workers, 0u);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_limits, on_a_full_disk_renewals_and_settlements_wait_for_room_and_nothing_is_half_done) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    broker::sqlite::database_settings settings;
    settings.file = file;
    // SQLite writes nothing where a renewal changes nothing, as within the same millisecond.
    settings.times.uptime = [passed = std::make_shared<milliseconds>(1h)] { return *passed += 1ms; };
    auto store = open_alone(settings, loop);
    const strings ids = {"a", "b"};
    co_await enqueue_ids(*store, "q", ids);
    auto worker = co_await new_worker(store, "q");
    co_await claim_ids(worker, 2);
    const full_disk full(4'096);
    auto said = co_await refusal_of(renew(worker));
    EXPECT_EQ(said.why, reason::full) << said.text;
    std::vector<settlement> both;
    both.push_back(end("a", job_state::succeeded, "a's", 1h));
    both.push_back(retry_after("b", 1h));
    said = co_await refusal_of(store->settle(worker.held, both));
    EXPECT_EQ(said.why, reason::full) << said.text;
    full.free();
    auto summary = co_await summary_of(*store, "q");
    EXPECT_EQ(summary.running, 2u);
    auto answer = co_await renew(worker);
    EXPECT_TRUE(answer.held);
    auto held = co_await store->settle(worker.held, both);
    EXPECT_EQ(held, std::vector<bool>(2, true));
  };
  run_on_loop(body(folder / "jobs.db"));
}

}  // namespace quarq::test::sqlite_limit_tests
