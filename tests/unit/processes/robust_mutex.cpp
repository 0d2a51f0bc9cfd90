#include "processes/robust_mutex.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <pthread.h>

#include "base/sanitizers.hpp"
#include "support/default_timeout.hpp"
#include "support/process.hpp"

namespace quarq::processes {
namespace {

using result = robust_mutex::result;

TEST(robust_mutex, a_wake_up_that_a_killed_process_owed_is_made_up_for) {
  if (base::thread_sanitizer) GTEST_SKIP() << "the mutex waits without a limit there";
  robust_mutex mutex;
  auto& inside = reinterpret_cast<pthread_mutex_t&>(mutex);
  const std::atomic_ref<int> word(inside.__data.__lock);
  ASSERT_EQ(mutex.lock(), result::locked);
  std::atomic<bool> locked_by_other{false};
  std::jthread other([&] {
    locked_by_other = mutex.lock() == result::locked;
    mutex.unlock();
  });
  ASSERT_TRUE(test::eventually([&] { return (static_cast<unsigned>(word.load()) & FUTEX_WAITERS) != 0; },
                               test::default_timeout));
  // As if it had been unlocked by a process that was killed before the wake, and been locked again here meanwhile.
  word.fetch_and(static_cast<int>(~FUTEX_WAITERS));
  mutex.unlock();
  const bool was_made_up_for =
      test::eventually([&] { return locked_by_other.load(); }, test::default_timeout);
  EXPECT_TRUE(was_made_up_for);
  if (was_made_up_for) return;
  EXPECT_EQ(mutex.lock(), result::locked);
  word.fetch_or(static_cast<int>(FUTEX_WAITERS));
  mutex.unlock();
}

}  // namespace
}  // namespace quarq::processes
