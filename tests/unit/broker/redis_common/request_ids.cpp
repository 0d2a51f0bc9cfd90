#include "broker/redis_common/request_ids.hpp"

#include <map>
#include <sstream>

#include <gtest/gtest.h>

namespace quarq::test::request_ids_tests {
namespace {

TEST(request_ids, tell_of_each_answered_call_once_and_never_of_one_that_may_be_repeated) {
  broker::redis_common::request_ids ids;
  std::map<std::string, int> known;
  const auto first = ids.next();  // its answer does not come
  for (int call = 0; call < 100; ++call) {
    const auto number = ids.next();
    std::istringstream answered(ids.take_answered());
    for (std::string one; answered >> one;) ++known[one];
    EXPECT_FALSE(known.contains(number)) << "it has not even been sent";
    ids.answered(number);
  }
  EXPECT_FALSE(known.contains(first));
  EXPECT_GE(known.size(), 80u);
  for (const auto& [number, times] : known) EXPECT_EQ(times, 1) << number;
}

}  // namespace
}  // namespace quarq::test::request_ids_tests
