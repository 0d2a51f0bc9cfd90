#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

#include <quarq/gather.hpp>
#include <quarq/time.hpp>

#include "http/net/resolver.hpp"
#include "support/manual_loop.hpp"
#include "support/on_loop.hpp"

namespace quarq::http::resolver_tests {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::make_address;

// Names that begin with "hang" are answered when the object ends.
class scripted_names {
 public:
  ~scripted_names() { release_.set_value(); }

  resolver::look_up_function function() {
    // The threads that hang may end after this object.
    return [asked = asked_, gate = gate_](const std::string& host) -> std::vector<address> {
      ++*asked;
      if (host.starts_with("hang")) gate.wait();
      if (host.starts_with("fail")) throw look_up_error("no such name");
      return {make_address("10.0.0.1"), make_address("fd00::1")};
    };
  }
  int asked() const { return *asked_; }

 private:
  std::shared_ptr<std::atomic<int>> asked_ = std::make_shared<std::atomic<int>>(0);
  std::promise<void> release_;
  std::shared_future<void> gate_ = release_.get_future().share();
};

awaitable<void> ask(resolver& from, std::string host) {
  co_await from.look_up(host);
}

TEST(http_resolver, many_questions_for_one_name_are_one) {
  scripted_names names;
  resolver of(names.function());
  test::run_on_loop([&]() -> awaitable<void> {
    std::vector<awaitable<std::vector<address>>> all;
    for (int i = 0; i < 50; ++i) all.push_back(of.look_up("name"));
    const auto answers = co_await gather(std::move(all));
    for (const auto& one : answers) EXPECT_EQ(one.size(), 2u);
    co_await of.look_up("name");
  });
  EXPECT_EQ(names.asked(), 1);
}

TEST(http_resolver, a_failure_is_not_kept) {
  scripted_names names;
  resolver of(names.function());
  for (int i = 0; i < 2; ++i) EXPECT_THROW(test::run_on_loop(ask(of, "fails")), look_up_error);
  EXPECT_EQ(names.asked(), 2);
}

TEST(http_resolver, names_that_hang_delay_no_other) {
  scripted_names names;
  resolver of(names.function());
  test::manual_loop loop;
  std::vector<std::shared_ptr<test::spawned>> hanging;
  for (int i = 0; i < 20; ++i) hanging.push_back(loop.start(ask(of, "hang" + std::to_string(i))));
  test::run_on_loop(ask(of, "name"));
  for (const auto& one : hanging) one->cancel();
  loop.run_ready();
  for (const auto& one : hanging) {
    EXPECT_TRUE(one->ended());
    EXPECT_TRUE(one->aborted());
  }
}

TEST(http_resolver, an_address_is_its_own_answer) {
  scripted_names names;
  resolver of(names.function());
  const auto v4 = test::run_on_loop(of.look_up("192.0.2.1"));
  const auto v6 = test::run_on_loop(of.look_up("2001:db8::1"));
  EXPECT_EQ(v4, std::vector{make_address("192.0.2.1")});
  EXPECT_EQ(v6, std::vector{make_address("2001:db8::1")});
  EXPECT_EQ(names.asked(), 0);
}

TEST(http_resolver, the_loop_may_end_before_the_answer) {
  scripted_names names;
  resolver of(names.function());
  test::manual_loop loop;
  loop.start(ask(of, "hang"));
  loop.end_loop();
}

TEST(http_resolver, the_system_knows_localhost) {
  const auto found = test::run_on_loop(resolver::of_process().look_up("localhost"));
  const auto is_loopback = [](const address& one) { return one.is_loopback(); };
  EXPECT_TRUE(std::all_of(found.begin(), found.end(), is_loopback));
  EXPECT_FALSE(found.empty());
}

TEST(http_resolver, a_name_without_an_address_is_an_error) {
  EXPECT_THROW(test::run_on_loop(resolver::of_process().look_up("no-such-name.invalid")), look_up_error);
}

}  // namespace
}  // namespace quarq::http::resolver_tests
