#include "debug/names.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <quarq/detail/pretty_output.hpp>

namespace quarq::test {
namespace {

using debug::function_name_of;
using debug::plain_type_name;
using debug::type_name_of;
using debug::unqualified;

template <class T>
std::string shown_name() {
  return type_name_of(detail::type_text<T>());
}

TEST(debug_names, types_have_the_names_that_people_write) {
  EXPECT_EQ(shown_name<int>(), "int");
  EXPECT_EQ(shown_name<unsigned long>(), "unsigned long");
  EXPECT_EQ(shown_name<const char*>(), "const char*");
  EXPECT_EQ(shown_name<int[3]>(), "int[3]");
  EXPECT_EQ(shown_name<std::string>(), "std::string");
  EXPECT_EQ(shown_name<std::string_view>(), "std::string_view");
  EXPECT_EQ((shown_name<std::map<std::string, std::vector<int>>>()),
            "std::map<std::string, std::vector<int>>");
  EXPECT_EQ(shown_name<std::unique_ptr<std::string>>(), "std::unique_ptr<std::string>");
  EXPECT_EQ(shown_name<std::chrono::milliseconds>(), "std::chrono::milliseconds");
  EXPECT_EQ(shown_name<std::chrono::system_clock::time_point>(), "std::chrono::system_clock::time_point");
  EXPECT_EQ(shown_name<std::chrono::steady_clock::time_point>(), "std::chrono::steady_clock::time_point");
}

TEST(debug_names, demangled_names_look_alike) {
  EXPECT_EQ(type_name_of(typeid(std::map<std::string, std::vector<unsigned long>>)),
            "std::map<std::string, std::vector<unsigned long>>");
  EXPECT_EQ(plain_type_name("acme::t<long unsigned int, short int, long_int>"),
            "acme::t<unsigned long, short, long_int>");
}

TEST(debug_names, a_short_name_lacks_namespaces) {
  EXPECT_EQ(unqualified("int"), "int");
  EXPECT_EQ(unqualified("acme::orders::line<acme::sku>"), "line<acme::sku>");
  EXPECT_EQ(unqualified("(anonymous namespace)::a::b"), "b");
  EXPECT_EQ(unqualified("main()::local"), "local");
}

TEST(debug_names, functions_lack_results_and_parameters) {
  EXPECT_EQ(function_name_of("int main()"), "main");
  EXPECT_EQ(function_name_of("main"), "main");
  EXPECT_EQ(function_name_of("std::vector<T>* acme::f(int (*)(int)) [with T = int]"), "acme::f");
  EXPECT_EQ(function_name_of("std::vector<T> *f(int (*)(int)) [T = int]"), "f");
  EXPECT_EQ(function_name_of("a::{anonymous}::s::~s()"), "a::s::~s");
  EXPECT_EQ(function_name_of("void a::(anonymous namespace)::s::m(T) const [T = int]"), "a::s::m");
  EXPECT_EQ(function_name_of("static const std::map<int, int>& c<std::map<int, int> >::get()"),
            "c<std::map<int, int>>::get");
  EXPECT_EQ(function_name_of(""), "");
}

TEST(debug_names, operators_are_functions) {
  EXPECT_EQ(function_name_of("void s::operator()(int)"), "s::operator()");
  EXPECT_EQ(function_name_of("bool s::operator<(int)"), "s::operator<");
  EXPECT_EQ(function_name_of("s* s::operator->()"), "s::operator->");
  EXPECT_EQ(function_name_of("s::operator std::string()"), "s::operator std::string");
}

TEST(debug_names, lambdas_belong_to_their_function) {
  EXPECT_EQ(function_name_of("f<int>(int (*)(int))::<lambda(auto:14)> [with auto:14 = int]"),
            "f<int> lambda");
  EXPECT_EQ(
      function_name_of("auto f(int (*)(int))::(anonymous class)::operator()(auto) const [x:auto = int]"),
      "f lambda");
  EXPECT_EQ(
      function_name_of(
          "auto f(int (*)(int))::(anonymous class)::operator()(int)::(anonymous class)::operator()() const"),
      "f lambda");
}

TEST(debug_names, this_compiler_s_signatures_are_understood) {
  const auto in_lambda = [](auto) { return std::source_location::current(); };
  EXPECT_TRUE(function_name_of(in_lambda(1).function_name()).ends_with("TestBody lambda"));
  EXPECT_TRUE(function_name_of(std::source_location::current().function_name()).ends_with("::TestBody"));
}

}  // namespace
}  // namespace quarq::test
