// What only the SQLite broker promises: its URLs, its files' troubles, its format, and the user's own
// transactions.
#include <csignal>
#include <fstream>

#include <boost/asio/this_coro.hpp>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "broker/sqlite/database_file.hpp"
#include "broker/sqlite/transaction.hpp"
#include "integration/sqlite_test.hpp"
#include "support/forked.hpp"
#include "support/on_loop.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::sqlite_broker_tests {

namespace {

std::string url_refusal(const std::string& url) {
  boost::asio::io_context loop;
  try {
    broker::open(url, loop.get_executor());
  } catch (const usage_error& e) {
    return e.what();
  }
  return "accepted";
}

/// The broker_error of the first call on `url`.
std::string trouble_with(const std::string& url) {
  const auto ask = [](std::string what) -> awaitable<std::string> {
    auto loop = co_await boost::asio::this_coro::executor;
    auto writer_thread = broker::open(what, loop);
    auto text = co_await error_of<broker_error>(writer_thread->enqueue("q", numbered_jobs(3)));
    co_return text;
  };
  return run_on_loop(ask(url));
}

}  // namespace

// ---- URLs

TEST(sqlite_url, what_is_wrong_in_it_is_named) {
  EXPECT_EQ(
      url_refusal("sqlite:"),
      "the SQLite URL \"sqlite:\" can't be used: it names no file: write sqlite:FILE or sqlite::memory:");
  EXPECT_PRED2(holds, url_refusal("sqlite:///jobs.db"), "sqlite:jobs.db");
  EXPECT_PRED2(holds, url_refusal("sqlite:jobs.db?sync=full"), "unknown parameter \"sync\"");
  EXPECT_PRED2(holds, url_refusal("sqlite:jobs.db?timeout=1&"), "unknown parameter \"\"");
  EXPECT_PRED2(holds, url_refusal("sqlite:jobs.db?synchronous=extra"), "\"extra\"");
  EXPECT_PRED2(holds, url_refusal("sqlite:jobs.db?timeout=soon"), "\"soon\"");
  EXPECT_PRED2(holds, url_refusal("sqlite:jobs.db?timeout=-1"), "\"-1\"");
  EXPECT_PRED2(holds, url_refusal("sqlite:jobs.db?timeout=nan"), "\"nan\"");
  EXPECT_EQ(url_refusal("sqlite:jobs.db?synchronous=normal&timeout=0.5"), "accepted");
  EXPECT_EQ(url_refusal("sqlite::memory:"), "accepted");
}

TEST(broker_url, an_unknown_scheme_is_refused_with_those_that_are_known) {
  const auto text = url_refusal("mysql://user:hunter2@host/db");
  EXPECT_PRED2(holds, text, "mysql");
  EXPECT_PRED2(holds, text, "sqlite:FILE");
  EXPECT_FALSE(holds(text, "hunter2")) << text;
}

TEST(broker_url, without_a_scheme_it_is_shown_as_it_was_written_with_what_may_be_meant) {
  EXPECT_EQ(url_refusal("jobs.db").find(
                "\"jobs.db\" is not a broker that is known: did you mean sqlite:jobs.db? Otherwise use "),
            0u);
  EXPECT_EQ(url_refusal("localhost:6379")
                .find("\"localhost:\" is not a broker that is known: did you mean redis://localhost:6379? "),
            0u);
  EXPECT_EQ(url_refusal("jobs").find("\"jobs\" is not a broker that is known: use sqlite:FILE"), 0u);
}

// ---- troubles with the file

TEST(sqlite_file, a_missing_folder_is_named_with_the_reason) {
  temp_dir folder;
  const auto file = folder / "missing/jobs.db";
  const auto text = trouble_with("sqlite:" + file);
  EXPECT_PRED2(holds, text, file);
  EXPECT_PRED2(holds, text, "cannot open: there is no folder " + (folder / "missing"));
}

/// What a user without rights is told of the file; made in a process of its own, which becomes that user.
std::string trouble_of_nobody(const std::string& file) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return "no pipe";
  forked nobody([&] {
    if (setgid(65'534) != 0 || setuid(65'534) != 0) return 1;
    const auto text = broker::sqlite::what_forbids(file);
    return write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 2;
  });
  const int code = nobody.wait();
  close(ends[1]);
  char text[200];
  const auto size = read(ends[0], text, sizeof text);
  close(ends[0]);
  return code == 0 && size >= 0 ? std::string(text, static_cast<std::size_t>(size)) : "failed";
}

TEST(sqlite_file, what_forbids_its_use_is_named) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  temp_dir folder;
  const std::string place = folder.path();
  ASSERT_EQ(chmod(place.c_str(), 0755), 0);
  EXPECT_EQ(trouble_of_nobody(folder / "jobs.db"), "its folder " + place + ": Permission denied");
  std::ofstream(folder / "jobs.db") << "";
  ASSERT_EQ(chmod((folder / "jobs.db").c_str(), 0644), 0);
  EXPECT_EQ(trouble_of_nobody(folder / "jobs.db"), "Permission denied");
  ASSERT_EQ(chmod((folder / "jobs.db").c_str(), 0666), 0);
  EXPECT_EQ(trouble_of_nobody(folder / "jobs.db"), "its folder " + place + ": Permission denied");
  ASSERT_EQ(chmod(place.c_str(), 0777), 0);
  EXPECT_EQ(trouble_of_nobody(folder / "jobs.db"), "");
}

// Mounting needs rights that a container may not have.
TEST(sqlite_file, a_read_only_file_system_is_named) {
  temp_dir folder;
  const std::string place = folder.path();
  if (mount("none", place.c_str(), "tmpfs", MS_RDONLY, nullptr) != 0) GTEST_SKIP() << "may not mount";
  const auto text = trouble_with("sqlite:" + (folder / "jobs.db"));
  umount(place.c_str());
  EXPECT_PRED2(holds, text, "cannot open: its folder " + place + ": Read-only file system");
}

TEST(sqlite_file, a_folder_is_not_a_file) {
  temp_dir folder;
  EXPECT_PRED2(holds, trouble_with("sqlite:" + folder.path().string()), folder.path().string());
}

TEST(sqlite_file, another_kind_of_file_is_named_and_left_as_it_was) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  const std::string text(5'000, 'x');
  std::ofstream(file) << text;
  const auto error = trouble_with("sqlite:" + file);
  EXPECT_PRED2(holds, error, file);
  EXPECT_PRED2(holds, error, "not a database");
  std::ifstream in(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST(sqlite_file, a_lock_that_is_held_too_long_is_told) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  user_connection other(file);
  other.run("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; CREATE TABLE t (x)");
  const auto text = trouble_with("sqlite:" + file + "?timeout=0.05");
  EXPECT_PRED2(holds, text, file);
  EXPECT_PRED2(holds, text, "locked");
}

TEST(sqlite_file, a_call_waits_for_a_lock_within_its_timeout) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  user_connection other(file);
  const auto body = [](std::string url, user_connection& user) -> awaitable<void> {
    auto loop = co_await boost::asio::this_coro::executor;
    auto writer_thread = broker::open(url, loop);
    co_await enqueue_one(*writer_thread, "q", job_named("first"));
    user.run("BEGIN IMMEDIATE");
    auto running = std::make_shared<int>(0);
    const auto enqueue_second = [](std::shared_ptr<broker::broker> to) -> awaitable<void> {
      co_await enqueue_one(*to, "q", job_named("second"));
    };
    start(loop, enqueue_second(writer_thread), running);
    // Reading needs no lock.
    co_await sleep_for(20ms);
    EXPECT_EQ(*running, 1);
    user.run("COMMIT");
    auto over = [&] { return *running == 0; };
    co_await until(over);
    auto summary = co_await summary_of(*writer_thread, "q");
    EXPECT_EQ(summary.queued, 2u);
  };
  run_on_loop(body("sqlite:" + file, other));
}

TEST(sqlite_file, a_full_disk_fails_the_call_and_not_the_file) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  const auto body = [](std::string url) -> awaitable<void> {
    auto loop = co_await boost::asio::this_coro::executor;
    auto writer_thread = broker::open(url, loop);
    co_await enqueue_one(*writer_thread, "q", job_named("before"));
    // No file may grow past this: the kernel's own way to have a full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{}, small{};
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_FSIZE, &small);
    auto big = job_named("too big");
    big.record.resize(4 << 20, 'x');
    auto text = co_await error_of<broker_error>(enqueue_one(*writer_thread, "q", big));
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_PRED2(holds, text, "jobs.db");
    auto answer = co_await enqueue_one(*writer_thread, "q", job_named("after"));
    EXPECT_EQ(answer, accepted::yes);
    auto summary = co_await summary_of(*writer_thread, "q");
    EXPECT_EQ(summary.queued, 2u);
  };
  run_on_loop(body("sqlite:" + file));
}

TEST(sqlite_file, another_format_is_refused_by_its_number) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  user_connection user(file);
  broker::sqlite::enqueue_in_transaction(user.get(), "q", numbered_jobs(1));
  user.run("UPDATE quarq_meta SET value = 5 WHERE name = 'format'");
  const auto newer = trouble_with("sqlite:" + file);
  EXPECT_PRED2(holds, newer, file);
  EXPECT_PRED2(holds, newer, "format 5");
  EXPECT_PRED2(holds, newer, "newer quarq");
  user.run("UPDATE quarq_meta SET value = 3 WHERE name = 'format'");
  const auto older = trouble_with("sqlite:" + file);
  EXPECT_PRED2(holds, older, "format 3");
  EXPECT_PRED2(holds, older, "older quarq");
}

TEST(sqlite_memory, is_one_place_in_the_process_while_somebody_holds_it) {
  const auto body = []() -> awaitable<void> {
    auto loop = co_await boost::asio::this_coro::executor;
    auto first = broker::open("sqlite::memory:", loop);
    co_await enqueue_one(*first, "q", job_named("job"));
    auto second = broker::open("sqlite::memory:", loop);
    first.reset();
    auto there = co_await state_of(*second, "q", "job");
    EXPECT_TRUE(there == job_state::queued);
    second.reset();
    auto third = broker::open("sqlite::memory:", loop);
    auto gone = co_await state_of(*third, "q", "job");
    EXPECT_FALSE(gone);
  };
  run_on_loop(body());
}

// ---- the user's own transaction

TEST(sqlite_transaction, a_commit_stores_the_users_rows_and_the_jobs_and_wakes_workers) {
  temp_dir folder;
  const auto file = folder / "shop.db";
  user_connection user(file);
  user.run("CREATE TABLE orders (number INTEGER PRIMARY KEY)");
  const auto body = [](std::string url, user_connection& shop) -> awaitable<void> {
    auto loop = co_await boost::asio::this_coro::executor;
    auto writer_thread = broker::open(url, loop);
    auto worker = co_await new_worker(writer_thread, "mails");
    for (int round = 0; round < 10; ++round) {
      auto none = co_await claim_ids(worker, 10);
      EXPECT_TRUE(none.empty());
      const int before = worker.heard->work_ready;
      shop.run("BEGIN; INSERT INTO orders DEFAULT VALUES");
      const strings ids = {"mail", "invoice"};
      auto answers = broker::sqlite::enqueue_in_transaction(shop.get(), "mails", jobs_named(ids));
      EXPECT_EQ(answers, std::vector<accepted>(2, accepted::yes));
      answers = broker::sqlite::enqueue_in_transaction(shop.get(), "mails", jobs_named(strings(1, "mail")));
      EXPECT_EQ(answers, std::vector<accepted>(1, accepted::duplicate));
      shop.run("COMMIT");
      auto rung = [&] { return worker.heard->work_ready > before; };
      co_await until(rung);
      auto claimed = co_await claim_ids(worker, 10);
      EXPECT_EQ(claimed, ids);
      for (const auto& id : claimed) co_await settle_one(worker, end(id));
    }
    EXPECT_EQ(shop.number("SELECT count(*) FROM orders"), 10);
  };
  run_on_loop(body("sqlite:" + file, user));
}

TEST(sqlite_transaction, a_rollback_leaves_neither_rows_nor_jobs_nor_tables) {
  temp_dir folder;
  user_connection user(folder / "shop.db");
  user.run("CREATE TABLE orders (number INTEGER PRIMARY KEY)");
  user.run("BEGIN; INSERT INTO orders DEFAULT VALUES");
  broker::sqlite::enqueue_in_transaction(user.get(), "mails", numbered_jobs(3));
  EXPECT_EQ(user.number("SELECT count(*) FROM quarq_jobs"), 3);
  user.run("ROLLBACK");
  EXPECT_EQ(user.number("SELECT count(*) FROM orders"), 0);
  EXPECT_EQ(user.number("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'quarq%'"), 0);
}

TEST(sqlite_transaction, outside_one_the_jobs_are_stored_at_once) {
  temp_dir folder;
  const auto file = folder / "shop.db";
  user_connection user(file);
  broker::sqlite::enqueue_in_transaction(user.get(), "mails", numbered_jobs(3));
  user_connection other(file);
  EXPECT_EQ(other.number("SELECT count(*) FROM quarq_jobs"), 3);
}

TEST(sqlite_transaction, bad_jobs_are_refused_and_the_transaction_goes_on) {
  temp_dir folder;
  user_connection user(folder / "shop.db");
  user.run("CREATE TABLE orders (number INTEGER PRIMARY KEY)");
  user.run("BEGIN; INSERT INTO orders DEFAULT VALUES");
  const strings ids = {"good", ""};
  EXPECT_THROW(broker::sqlite::enqueue_in_transaction(user.get(), "mails", jobs_named(ids)), usage_error);
  user.run("COMMIT");
  EXPECT_EQ(user.number("SELECT count(*) FROM orders"), 1);
}

TEST(sqlite_transaction,
     of_a_call_that_sqlite_refuses_half_way_nothing_is_stored_and_the_transaction_goes_on) {
  temp_dir folder;
  user_connection user(folder / "shop.db");
  broker::sqlite::enqueue_in_transaction(user.get(), "mails", jobs_named(strings(1, "before")));
  user.run("CREATE TABLE orders (number INTEGER PRIMARY KEY)");
  user.run(
      "CREATE TRIGGER no_b BEFORE INSERT ON quarq_jobs WHEN new.id = 'b' "
      "BEGIN SELECT RAISE(ABORT, 'no b'); END");
  user.run("BEGIN; INSERT INTO orders DEFAULT VALUES");
  const strings ids = {"a", "b", "c"};
  EXPECT_THROW(broker::sqlite::enqueue_in_transaction(user.get(), "mails", jobs_named(ids)), broker_error);
  user.run("COMMIT");
  EXPECT_EQ(user.number("SELECT count(*) FROM orders"), 1);
  EXPECT_EQ(user.number("SELECT count(*) FROM quarq_jobs"), 1);
}

// ---- for people

TEST(sqlite_broker, warns_of_places_that_do_not_last) {
  temp_dir folder;
  const auto body = [](std::string url) -> awaitable<std::size_t> {
    auto loop = co_await boost::asio::this_coro::executor;
    auto writer_thread = broker::open(url, loop);
    auto all = co_await writer_thread->warnings();
    co_return all.size();
  };
  EXPECT_EQ(run_on_loop(body("sqlite::memory:")), 1u);
  EXPECT_EQ(run_on_loop(body("sqlite:" + (folder / "a.db") + "?synchronous=off")), 1u);
  EXPECT_EQ(run_on_loop(body("sqlite:" + (folder / "a.db"))), 0u);
}

}  // namespace quarq::test::sqlite_broker_tests
