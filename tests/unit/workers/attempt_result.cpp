#include "workers/attempt_result.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>

namespace quarq::test::attempt_result_tests {
namespace {

using result_kind = model::attempt::result_kind;

template <class E>
model::attempt after(const E& thrown) {
  return workers::classify(std::make_exception_ptr(thrown));
}

TEST(attempt_result, an_exception_is_kept_with_its_type_and_message) {
  const auto a = after(std::out_of_range("7 is too much"));
  EXPECT_EQ(a.result, result_kind::threw);
  EXPECT_EQ(a.error_type, "std::out_of_range");
  EXPECT_EQ(a.error, "7 is too much");
  EXPECT_FALSE(a.pause);
}

TEST(attempt_result, what_a_handler_threw_in_its_process_is_as_if_it_had_been_thrown_here) {
  const auto a = after(call_failed("app::no_such_user", "ann"));
  EXPECT_EQ(a.result, result_kind::threw);
  EXPECT_EQ(a.error_type, "app::no_such_user");
  EXPECT_EQ(a.error, "ann");
  const auto for_good = after(call_failed("quarq::permanent_failure", "no"));
  EXPECT_EQ(for_good.result, result_kind::permanent);
  EXPECT_EQ(for_good.error_type, "quarq::permanent_failure");
}

TEST(attempt_result, the_pause_that_a_handler_asks_for_is_taken_within_bounds) {
  using std::chrono::milliseconds;
  EXPECT_EQ(after(retry_after(milliseconds(1'500))).pause, milliseconds(1'500));
  EXPECT_EQ(after(retry_after(milliseconds(-1))).pause, milliseconds(0));
  EXPECT_EQ(after(retry_after(milliseconds::max())).pause, model::max_time);
}

}  // namespace
}  // namespace quarq::test::attempt_result_tests
