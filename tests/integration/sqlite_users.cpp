// Two users of one group use a file. Needs root, to become them.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/broker.hpp"
#include "support/forked.hpp"
#include "support/on_loop.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {
namespace sqlite_users_tests {
namespace {

constexpr gid_t the_group = 54'320;
constexpr uid_t one_user = 54'321, other_user = 54'322;
constexpr int done = 0, refused = 10, refused_in_many_lines = 11;

awaitable<void> enqueue(std::string url, std::string id, std::size_t& queued) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto opened = broker::open(url, loop);
  std::vector<broker::new_job> jobs(1);
  jobs.front().id = id;
  jobs.front().record = "record";
  co_await opened->enqueue("default", std::move(jobs));
  const auto all = co_await opened->list("default", job_state::queued, 10);
  queued = all.size();
}

class sqlite_users : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become two users";
    ASSERT_EQ(chown(folder_.path().c_str(), 0, the_group), 0);
    ASSERT_EQ(chmod(folder_.path().c_str(), 0775), 0);
  }

  /// How a process of the user's ended that enqueued a job and then saw so many.
  int enqueue_as(uid_t user, mode_t mask, const std::string& id, std::size_t expected) {
    const auto url = "sqlite:" + (folder_ / "jobs.db");
    forked process([&] {
      if (setgroups(0, nullptr) != 0 || setgid(the_group) != 0 || setuid(user) != 0) return 20;
      umask(mask);
      std::size_t queued = 0;
      try {
        run_on_loop(enqueue(url, id, queued), default_timeout);
      } catch (const broker_error& e) {
        return std::string(e.what()).find('\n') == std::string::npos ? refused : refused_in_many_lines;
      }
      return queued == expected ? done : 21;
    });
    return process.wait();
  }

  temp_dir folder_;
};

TEST_F(sqlite_users, share_a_file_that_their_group_may_write) {
  EXPECT_EQ(enqueue_as(one_user, 002, "a", 1), done);
  EXPECT_EQ(enqueue_as(other_user, 002, "b", 2), done);
  EXPECT_EQ(enqueue_as(one_user, 002, "c", 3), done);
}

TEST_F(sqlite_users, may_be_allowed_to_share_it_later) {
  EXPECT_EQ(enqueue_as(one_user, 022, "a", 1), done);
  std::filesystem::permissions(folder_ / "jobs.db", std::filesystem::perms::group_write,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(enqueue_as(other_user, 022, "b", 2), done);
  EXPECT_EQ(enqueue_as(one_user, 022, "c", 3), done);
}

// What it leaves behind would be its own, and in the owner's way.
TEST_F(sqlite_users, are_told_in_one_line_that_they_may_not_and_leave_nothing_behind) {
  EXPECT_EQ(enqueue_as(one_user, 022, "a", 1), done);
  EXPECT_EQ(enqueue_as(other_user, 022, "b", 2), refused);
  EXPECT_EQ(enqueue_as(one_user, 022, "c", 2), done);
}

}  // namespace
}  // namespace sqlite_users_tests
}  // namespace quarq::test
