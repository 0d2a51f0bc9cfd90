// What is nested too deeply to be read is not written.
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <boost/describe.hpp>
#include <gtest/gtest.h>

#include <quarq/codec.hpp>
#include <quarq/errors.hpp>

namespace quarq::test::codec_nesting_tests {
namespace {

// Two levels of the encoding each.
struct branch {
  std::vector<branch> below;
};
BOOST_DESCRIBE_STRUCT(branch, (), (below))

branch nested(int depth) {
  branch root;
  branch* at = &root;
  for (int i = 1; i < depth; ++i) at = &at->below.emplace_back();
  return root;
}

int depth_of(const branch& root) {
  int depth = 1;
  for (const branch* at = &root; !at->below.empty(); at = &at->below[0]) ++depth;
  return depth;
}

template <class Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

constexpr const char* too_deep = "values are nested deeper than 64 levels";

TEST(codec_nesting, what_can_be_written_can_be_read) {
  EXPECT_EQ(depth_of(from_msgpack<branch>(to_msgpack(nested(32)), "value")), 32);
  using arguments = std::tuple<branch>;
  EXPECT_EQ(depth_of(std::get<0>(decode_arguments<arguments>(encode_arguments(nested(31)), "task"))), 31);
}

TEST(codec_nesting, what_can_not_be_read_is_not_written) {
  EXPECT_EQ(refusal([] { to_msgpack(nested(33)); }), too_deep);
  EXPECT_EQ(refusal([] { encode_arguments(nested(32)); }), too_deep);
}

}  // namespace
}  // namespace quarq::test::codec_nesting_tests
