// The SQLite broker's files among other programs: links, deletions, permissions, systems without inotify.
#include <filesystem>
#include <fstream>

#include <boost/asio/this_coro.hpp>
#include <sys/stat.h>

#include "broker/sqlite/writer_thread.hpp"
#include "integration/sqlite_test.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::sqlite_file_tests {

namespace {

namespace fs = std::filesystem;

broker::sqlite::database_settings settings_of(const std::string& file) {
  broker::sqlite::database_settings settings;
  settings.file = file;
  return settings;
}

/// That a worker of `mine` is woken by a job that comes through `other`.
awaitable<void> expect_woken(std::shared_ptr<broker::broker> mine, std::shared_ptr<broker::broker> other) {
  auto worker = co_await new_worker(mine, "q");
  for (const char* id : {"one", "two", "three"}) {
    auto none = co_await claim_ids(worker, 10);
    EXPECT_TRUE(none.empty());
    const int before = worker.heard->work_ready;
    co_await enqueue_one(*other, "q", job_named(id));
    auto woken = [&] { return worker.heard->work_ready > before; };
    co_await until(woken);
    auto ids = co_await claim_ids(worker, 10);
    EXPECT_EQ(ids, strings(1, id));
    co_await settle_one(worker, end(id));
  }
  co_await mine->close_lease(worker.held);
}

/// That all that is under way or comes ends with a word about the file, which `change` makes another one.
template <class Change>
awaitable<void> expect_end_after(std::string file, Change change) {
  const auto loop = co_await boost::asio::this_coro::executor;
  auto store = broker::open("sqlite:" + file, loop);
  auto worker = co_await new_worker(store, "q");
  co_await enqueue_ids(*store, "q", strings(1, "job"));
  auto waiting = start_waiting(loop, store, "q", "job");
  auto is_awaited = [db = std::make_shared<user_connection>(file)] {
    return db->number("SELECT count(*) FROM quarq_jobs WHERE awaited = 1") == 1;
  };
  co_await until(is_awaited);
  change();
  auto notified = [&] { return waiting->over; };
  co_await until(notified);
  EXPECT_PRED2(holds, waiting->error, "deleted or replaced");
  auto said = co_await refusal_of(renew(worker));
  EXPECT_TRUE(said.store_gone) << said.text;
  EXPECT_PRED2(holds, said.text, file);
  said = co_await refusal_of(enqueue_one(*store, "q", job_named("lost")));
  EXPECT_TRUE(said.store_gone) << said.text;
  // A new one uses what has the name now.
  auto fresh = broker::open("sqlite:" + file, loop);
  auto answer = co_await enqueue_one(*fresh, "q", job_named("job"));
  EXPECT_EQ(answer, accepted::yes);
}

mode_t permissions(const std::string& file) {
  struct stat it{};
  return stat(file.c_str(), &it) == 0 ? it.st_mode & 07777 : 0;
}

}  // namespace

// ---- the database

TEST(sqlite_files, a_deleted_database_is_noticed_by_all_who_use_it) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  const auto change = [&] {
    for (const char* part : {"-wal", "-shm", ""}) fs::remove(file + part);
  };
  run_on_loop(expect_end_after(file, change));
}

TEST(sqlite_files, a_replaced_database_is_noticed_by_all_who_use_it) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  const auto change = [&] {
    for (const char* part : {"-wal", "-shm"}) fs::remove(file + part);
    std::ofstream(folder / "other.db").flush();
    fs::rename(folder / "other.db", file);
  };
  run_on_loop(expect_end_after(file, change));
}

TEST(sqlite_files, a_link_to_a_file_that_is_not_there_yet_works_at_once) {
  temp_dir folder;
  fs::create_directory(folder / "volume");
  fs::create_symlink("volume/jobs.db", folder / "jobs.db");
  fs::create_symlink("jobs.db", folder / "again.db");
  const auto body = [](std::string link, std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto by_link = open_alone(settings_of(link), loop);
    co_await enqueue_ids(*by_link, "q", strings(1, "first"));
    auto by_name = open_alone(settings_of(file), loop);
    auto state = co_await state_of(*by_name, "q", "first");
    EXPECT_TRUE(state == job_state::queued);
    co_await by_name->purge("q", job_state::queued);
    co_await expect_woken(by_link, by_name);
  };
  run_on_loop(body(folder / "again.db", folder / "volume/jobs.db"));
  EXPECT_TRUE(fs::is_symlink(folder / "jobs.db"));
}

TEST(sqlite_files, the_umask_says_whether_a_group_may_write) {
  temp_dir folder;
  const auto file = folder / "jobs.db";
  const auto body = [](std::string path, std::string shared) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(settings_of(path), loop);
    co_await enqueue_ids(*store, "q", strings(1, "job"));
    for (const char* part : {"", "-wal", "-shm", "-bell"}) EXPECT_EQ(permissions(path + part), 0664u) << part;
    umask(022);
    auto other = open_alone(settings_of(shared), loop);
    co_await enqueue_ids(*other, "q", strings(1, "job"));
    EXPECT_EQ(permissions(shared), 0644u);
  };
  const auto before = umask(002);
  run_on_loop(body(file, folder / "private.db"));
  umask(before);
}

TEST(sqlite_files, where_wal_is_impossible_the_error_says_so) {
  temp_dir folder;
  auto* usual = sqlite3_vfs_find(nullptr);
  // Locks nothing, and so has no shared memory, like some network file systems.
  auto* without_shared_memory = sqlite3_vfs_find("unix-none");
  ASSERT_TRUE(without_shared_memory);
  sqlite3_vfs_register(without_shared_memory, 1);
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(settings_of(file), loop);
    auto said = co_await refusal_of(enqueue_one(*store, "q", job_named("job")));
    EXPECT_PRED2(holds, said.text, file);
    EXPECT_PRED2(holds, said.text, "WAL mode");
    EXPECT_PRED2(holds, said.text, "network file system");
  };
  run_on_loop(body(folder / "jobs.db"));
  sqlite3_vfs_register(usual, 1);
}

// ---- the bell

TEST(sqlite_files, a_deleted_bell_is_made_anew_and_rings) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto mine = open_alone(settings_of(file), loop);
    auto other = open_alone(settings_of(file), loop);
    auto waiting = co_await new_worker(mine, "nothing comes here");
    fs::remove(file + "-bell");
    auto is_back = [&] { return fs::exists(file + "-bell"); };
    co_await until(is_back);
    co_await expect_woken(mine, other);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_files, a_bell_that_leads_to_another_file_is_refused_and_that_file_is_left_alone) {
  temp_dir folder;
  const std::string text = "not a bell";
  std::ofstream(folder / "precious") << text;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto store = open_alone(settings_of(file), loop);
    auto said = co_await refusal_of(enqueue_one(*store, "q", job_named("job")));
    EXPECT_PRED2(holds, said.text, file + "-bell");
    EXPECT_PRED2(holds, said.text, "plain");
  };
  fs::create_symlink(folder / "precious", folder / "a.db-bell");
  run_on_loop(body(folder / "a.db"));
  fs::create_hard_link(folder / "precious", folder / "b.db-bell");
  run_on_loop(body(folder / "b.db"));
  EXPECT_EQ(read_file(folder / "precious"), text);
}

TEST(sqlite_files, who_can_not_ring_the_bell_is_heard_all_the_same) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    // A folder cannot be written to, whoever one is.
    fs::create_directory(file + "-bell");
    auto mine = open_alone(settings_of(file), loop);
    auto other = open_alone(settings_of(file), loop);
    co_await expect_woken(mine, other);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_files, without_inotify_workers_look_by_themselves) {
  temp_dir folder;
  const auto body = [](std::string file) -> awaitable<void> {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto blind = settings_of(file);
    blind.may_watch = false;
    auto mine = open_alone(blind, loop);
    auto other = open_alone(settings_of(file), loop);
    co_await expect_woken(mine, other);
    co_await enqueue_ids(*mine, "q", strings(1, "awaited"));
    auto waiting = start_waiting(loop, mine, "q", "awaited");
    auto worker = co_await new_worker(other, "q");
    co_await claim_ids(worker, 1);
    co_await settle_one(worker, end("awaited", job_state::succeeded, "seen"));
    auto notified = [&] { return waiting->over; };
    co_await until(notified);
  };
  run_on_loop(body(folder / "jobs.db"));
}

TEST(sqlite_files, brokers_that_differ_in_how_safe_they_are_share_no_connection) {
  const temp_dir folder;
  auto full = settings_of(folder / "jobs.db"), normal = full;
  full.synchronous = 2;
  normal.synchronous = 1;
  const auto first = broker::sqlite::writer_thread::shared(full);
  EXPECT_NE(first, broker::sqlite::writer_thread::shared(normal));
  EXPECT_EQ(first, broker::sqlite::writer_thread::shared(full));
}

// ---- what waits for the disk

namespace {

/// Why an operation that was committed got a failure for an answer, if it did.
awaitable<std::optional<broker::sqlite::failure>> answer_of(broker::sqlite::wal_sync& sync) {
  using namespace broker::sqlite;
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto me = std::make_shared<waiter>(loop);
  const std::function<char(transaction&)> nothing = [](transaction&) { return '0'; };
  const auto one = std::make_shared<function_operation<char>>(operation::kind::writes_durably, 0, nothing);
  one->loop = async::loop_handle::make(loop);
  one->waiting = me;
  std::vector<std::shared_ptr<operation>> committed(1, one);
  sync.answer_later(std::move(committed));
  co_await me->answered.wait();
  co_return one->error;
}

}  // namespace

TEST(sqlite_wal_sync, answers_once_the_disk_has_stored_the_wal) {
  const temp_dir folder;
  EXPECT_EQ(broker::sqlite::wal_sync::open(folder / "jobs.db"), nullptr);
  std::ofstream(folder / "jobs.db-wal") << "frames";
  const auto sync = broker::sqlite::wal_sync::open(folder / "jobs.db");
  ASSERT_NE(sync, nullptr);
  EXPECT_FALSE(sync->wait());
  EXPECT_FALSE(run_on_loop(answer_of(*sync)));
  EXPECT_FALSE(run_on_loop(answer_of(*sync)));
}

TEST(sqlite_wal_sync, says_if_that_is_not_known) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const base::unique_fd writer(ends[1]);
  broker::sqlite::wal_sync sync("jobs.db-wal", base::unique_fd(ends[0]));  // a disk knows nothing of a pipe
  ASSERT_TRUE(sync.wait());
  const auto error = run_on_loop(answer_of(sync));
  ASSERT_TRUE(error);
  EXPECT_PRED2(holds, error->text, "jobs.db-wal: it is not known whether the disk has stored this");
}

}  // namespace quarq::test::sqlite_file_tests
