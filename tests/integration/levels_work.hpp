// The work that the tests of all levels do. Functions of the program, so that other processes find them; the
// files that they make in a folder show what they have done.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <boost/system/system_error.hpp>

#include <quarq/quarq.hpp>

namespace quarq::test::levels_tests {

using namespace std::chrono_literals;

/// Can't be copied.
class parcel {
 public:
  explicit parcel(std::string text) : inside_(std::make_unique<std::string>(std::move(text))) {}
  const std::string& text() const { return *inside_; }

 private:
  std::unique_ptr<std::string> inside_;
};

struct no_space : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace quarq::test::levels_tests

template <>
struct quarq::codec<quarq::test::levels_tests::parcel> {
  static void encode(encoder& out, const test::levels_tests::parcel& value) {
    quarq::encode(out, value.text());
  }
  static test::levels_tests::parcel decode(decoder& in) {
    return test::levels_tests::parcel(quarq::decode<std::string>(in));
  }
};

namespace quarq::test::levels_tests {

inline bool there_is(const std::string& folder, const std::string& name) {
  return std::filesystem::exists(std::filesystem::path(folder) / name);
}

inline void do_mark(std::string folder, std::string name) {
  std::ofstream(std::filesystem::path(folder) / name).flush();
}

inline int do_twice(int n) {
  return 2 * n;
}

inline awaitable<int> do_twice_later(int n) {
  co_await sleep_for(1ms);
  co_return 2 * n;
}

inline parcel do_wrap(std::string text) {
  return parcel(std::move(text));
}

inline awaitable<parcel> do_wrap_later(std::string text) {
  co_await sleep_for(1ms);
  co_return parcel(std::move(text));
}

inline int do_fail(std::string message) {
  throw no_space(message);
}

inline awaitable<int> do_fail_later(std::string message) {
  co_await sleep_for(1ms);
  throw no_space(message);
}

inline int do_refuse_odd(int n) {
  return n % 2 == 1 ? throw no_space("odd: " + std::to_string(n)) : n;
}

/// Waits for the file "gate".
inline awaitable<int> do_wait(std::string folder, int n) {
  do_mark(folder, "started " + std::to_string(n));
  try {
    while (!there_is(folder, "gate")) co_await sleep_for(1ms);
  } catch (const boost::system::system_error&) {
    do_mark(folder, "heard " + std::to_string(n));
    throw;
  }
  co_return n;
}

inline int do_wait_with_token(std::stop_token stop, std::string folder, int n) {
  do_mark(folder, "started " + std::to_string(n));
  while (!there_is(folder, "gate")) {
    if (stop.stop_requested()) {
      do_mark(folder, "heard " + std::to_string(n));
      throw cancelled("asked to stop");
    }
    std::this_thread::sleep_for(1ms);
  }
  return n;
}

/// The first waits, the second fails when the first has started.
inline awaitable<int> do_fail_second(std::pair<std::string, int> folder_and_number) {
  const auto& [folder, n] = folder_and_number;
  if (n != 1) {
    auto waiting = do_wait(folder, n);
    const int same = co_await std::move(waiting);
    co_return same;
  }
  do_mark(folder, "started 1");
  while (!there_is(folder, "started 0")) co_await sleep_for(1ms);
  throw no_space("the second");
}

/// A function, and the task whose handler it is.
template <class Signature, auto Function>
struct work {
  static constexpr auto function = Function;
  task<Signature> as_task;
};

inline constexpr work<void(std::string, std::string), do_mark> mark{
    task<void(std::string, std::string)>("mark")};
inline constexpr work<int(int), do_twice> twice{task<int(int)>("twice")};
inline constexpr work<int(int), do_twice_later> twice_later{task<int(int)>("twice_later")};
inline constexpr work<parcel(std::string), do_wrap> wrap{task<parcel(std::string)>("wrap")};
inline constexpr work<parcel(std::string), do_wrap_later> wrap_later{task<parcel(std::string)>("wrap_later")};
inline constexpr work<int(std::string), do_fail> fail{task<int(std::string)>("fail")};
inline constexpr work<int(std::string), do_fail_later> fail_later{task<int(std::string)>("fail_later")};
inline constexpr work<int(int), do_refuse_odd> refuse_odd{task<int(int)>("refuse_odd")};
inline constexpr work<int(std::string, int), do_wait> wait_for_gate{
    task<int(std::string, int)>("wait_for_gate")};
inline constexpr work<int(std::string, int), do_wait_with_token> wait_with_token{
    task<int(std::string, int)>("wait_with_token")};
inline constexpr work<int(std::pair<std::string, int>), do_fail_second> fail_second{
    task<int(std::pair<std::string, int>)>("fail_second")};
inline constexpr task<int(int)> nested_call{"nested"};

}  // namespace quarq::test::levels_tests
