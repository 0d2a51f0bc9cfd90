#define QUARQ_NO_DEBUG

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/debug.hpp>
#include <quarq/debug_timer.hpp>

namespace quarq::test {
namespace {

int called(std::vector<int>& calls, int n) {
  calls.push_back(n);
  return n;
}

constexpr int in_a_constant_expression(int n) {
  return QUARQ_DEBUG(n, n + 1);
}
static_assert(in_a_constant_expression(1) == 2);

template <class T>
T in_a_template_of_its_own(T value) {
  return QUARQ_DEBUG(value, std::move(value));
}

}  // namespace

std::string without_debug_prints(std::vector<int>& calls);

std::string without_debug_prints(std::vector<int>& calls) {
  std::string text = "last";
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(1, text)), std::string&>);
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(std::move(text))), std::string&&>);
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(text + "b")), std::string>);
  static_assert(std::is_same_v<decltype(QUARQ_DEBUG(std::pair<int, int>(1, 2))), std::pair<int, int>>);
  QUARQ_DEBUG();
  QUARQ_DEBUG(text);
  debug_timer timer("silent");
  timer.lap();
  timer.stop();
  const auto moved = QUARQ_DEBUG(in_a_template_of_its_own(std::make_unique<int>(1)));
  QUARQ_DEBUG(called(calls, *moved), called(calls, 2), called(calls, 3));
  return QUARQ_DEBUG("first", text);
}

}  // namespace quarq::test
