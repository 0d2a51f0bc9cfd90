// A disk that refuses to store what was written to the WAL: the kernel reports that once, and forgets it.
#include <atomic>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "integration/sqlite_test.hpp"
#include "support/on_loop.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::sqlite_disk_refuses_tests {

namespace {

namespace sqlite = broker::sqlite;

std::atomic<int> refusals = 0, asked = 0;

int refusing_sync(int fd) {
  ++asked;
  if (refusals <= 0) return ::fdatasync(fd);
  --refusals;
  errno = EIO;
  return -1;
}

/// A WAL with some bytes that were last written in 1970.
struct old_wal {
  old_wal() {
    std::ofstream(name) << text;
    const timespec long_ago[] = {{0, 0}, {0, 0}};
    ::utimensat(AT_FDCWD, name.c_str(), long_ago, 0);
  }
  bool was_written_again() const {
    struct stat now{};
    ::stat(name.c_str(), &now);
    return now.st_mtim.tv_sec > 0;
  }
  std::string content() const {
    std::ifstream in(name);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  temp_dir folder;
  std::string name = folder / "jobs.db-wal";
  std::string text = std::string(3'000'000, 'x') + "end";
};

TEST(sqlite_disk_refuses, what_was_refused_once_is_not_stored_before_it_was_written_again) {
  const old_wal wal;
  const auto sync = sqlite::wal_sync::open(wal.folder / "jobs.db", refusing_sync);
  ASSERT_TRUE(sync);
  EXPECT_FALSE(sync->wait());
  refusals = 1;
  EXPECT_TRUE(sync->wait());
  EXPECT_TRUE(sync->has_failed());
  const int before = asked;
  const auto why = sync->wait();  // now the kernel would say that all is well
  ASSERT_TRUE(why);
  EXPECT_TRUE(holds(why->text, "it is not known whether the disk has stored this: Input/output error"))
      << why->text;
  EXPECT_EQ(asked, before);
  EXPECT_FALSE(wal.was_written_again());
  EXPECT_FALSE(sync->write_again());
  EXPECT_TRUE(wal.was_written_again());
  EXPECT_EQ(wal.content(), wal.text);
  EXPECT_EQ(asked, before + 1);
  EXPECT_FALSE(sync->has_failed());
  EXPECT_FALSE(sync->wait());
}

awaitable<void> enqueue_while_the_disk_refuses() {
  const auto loop = co_await boost::asio::this_coro::executor;
  const temp_dir folder;
  sqlite::database_settings settings;
  settings.file = folder / "jobs.db";
  settings.sync = refusing_sync;
  const auto store = open_alone(std::move(settings), loop);
  // By the first commit SQLite makes the WAL.
  co_await enqueue_ids(*store, "q", strings(1, "a"));
  refusals = 2;
  auto jobs = jobs_named(strings(1, "b"));
  const auto unknown = co_await refusal_of(store->enqueue("q", jobs));
  EXPECT_TRUE(holds(unknown.text, "it is not known whether the disk has stored this")) << unknown.text;
  jobs = jobs_named(strings(1, "c"));
  const auto refused = co_await refusal_of(store->enqueue("q", jobs));
  EXPECT_TRUE(holds(refused.text, "did not store all that was written, and does not take it now"))
      << refused.text;
  EXPECT_TRUE(holds(refused.text, "jobs.db-wal")) << refused.text;
  co_await enqueue_ids(*store, "q", strings(1, "d"));
  EXPECT_EQ(refusals, 0);
  const auto b = co_await state_of(*store, "q", "b");
  const auto c = co_await state_of(*store, "q", "c");
  const auto d = co_await state_of(*store, "q", "d");
  EXPECT_EQ(b, job_state::queued);
  EXPECT_EQ(c, std::nullopt);
  EXPECT_EQ(d, job_state::queued);
}

TEST(sqlite_disk_refuses, calls_say_so_until_the_disk_has_taken_all) {
  run_on_loop(enqueue_while_the_disk_refuses());
}

}  // namespace

}  // namespace quarq::test::sqlite_disk_refuses_tests
