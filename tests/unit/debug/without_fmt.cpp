// A file that does not know fmt, in a program of which other files do.
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/debug.hpp>

#ifdef FMT_VERSION
#error "this file must not include fmt"
#endif

namespace quarq::test {
namespace {

TEST(debug_without_fmt, is_complete) {
  static_assert(std::is_same_v<detail::formatting, detail::without_fmt>);
  EXPECT_EQ(format_pretty(std::vector<std::string>{"a"}), R"(["a"])");
}

}  // namespace
}  // namespace quarq::test
