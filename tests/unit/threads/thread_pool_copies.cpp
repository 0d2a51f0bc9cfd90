// A pool in a copy of its process: the threads are not there.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>
#include <quarq/thread_pool.hpp>

#include "support/forked.hpp"

namespace quarq::test::thread_pool_copies_tests {
namespace {

// 0 if `use` throws a quarq::error that names fork().
template <class F>
int refusal(F use) {
  try {
    use();
  } catch (const error& e) {
    return std::string(e.what()).find("fork()") != std::string::npos ? 0 : 2;
  }
  return 1;
}

TEST(thread_pool, is_refused_in_a_copy_that_fork_made) {
  for (const std::size_t max_queued : {0, 1}) {
    auto pool = std::make_unique<thread_pool>(thread_pool_options{.size = 2, .max_queued = max_queued});
    forked copy([&] {
      const int runs = refusal([&] { run(pool->run([] {})); });
      const int posts = refusal([&] { pool->post([] {}); });
      pool.reset();
      return runs + 4 * posts;
    });
    EXPECT_EQ(copy.wait(), 0);
    EXPECT_EQ(run(pool->run([] { return 5; })), 5);
  }
}

}  // namespace
}  // namespace quarq::test::thread_pool_copies_tests
