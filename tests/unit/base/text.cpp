#include "base/text.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace quarq::base {
namespace {

template <class T>
thrown_object described(T object) {
  try {
    throw object;
  } catch (...) {
    return describe_thrown_object();
  }
}

enum class fault { leak };

TEST(text, what_is_thrown_is_named_by_its_type_and_strings_by_what_they_say) {
  EXPECT_EQ(described(42).type, "int");
  EXPECT_EQ(described(42).text, "an object of type int was thrown, which is not a std::exception");
  EXPECT_EQ(described(fault::leak).type, "quarq::base::(anonymous namespace)::fault");
  EXPECT_EQ(described<const char*>("no space left").type, "char const*");
  EXPECT_EQ(described<const char*>("no space left").text, "no space left");
  EXPECT_EQ(described<const char*>(nullptr).text, "");
  EXPECT_EQ(described(std::string("no space left")).text, "no space left");
}

}  // namespace
}  // namespace quarq::base
