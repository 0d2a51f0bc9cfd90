#include "async/loop_lifetime.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <gtest/gtest.h>

#include "async/loop_handle.hpp"

namespace quarq::test {
namespace {

namespace asio = boost::asio;
using async::loop_guest;
using async::loop_handle;
using async::loop_lifetime;

class guest : public loop_guest {
 public:
  explicit guest(std::function<void()> then) : then_(std::move(then)) {}
  void loop_destroyed() noexcept override { then_(); }

 private:
  std::function<void()> then_;
};

TEST(loop_lifetime, is_one_for_each_loop) {
  asio::io_context one, other;
  EXPECT_EQ(loop_lifetime::of(one), loop_lifetime::of(one));
  EXPECT_NE(loop_lifetime::of(one), loop_lifetime::of(other));
}

TEST(loop_lifetime, tells_guests_once_the_last_added_first) {
  std::string notified;
  const auto a = std::make_shared<guest>([&] { notified += 'a'; });
  const auto b = std::make_shared<guest>([&] { notified += 'b'; });
  {
    asio::io_context loop;
    loop_lifetime::of(loop)->add(a);
    loop_lifetime::of(loop)->add(b);
    EXPECT_EQ(notified, "");
  }
  EXPECT_EQ(notified, "ba");
}

TEST(loop_lifetime, does_not_keep_guests_alive) {
  bool notified = false;
  asio::io_context loop;
  auto one = std::make_shared<guest>([&] { notified = true; });
  const std::weak_ptr<guest> watched = one;
  loop_lifetime::of(loop)->add(one);
  one.reset();
  EXPECT_TRUE(watched.expired());
  EXPECT_FALSE(notified);
}

TEST(loop_lifetime, a_guest_may_destroy_another_when_it_is_told) {
  std::string notified;
  auto first = std::make_shared<guest>([&] { notified += "first"; });
  const auto second = std::make_shared<guest>([&] { first.reset(); });
  {
    asio::io_context loop;
    loop_lifetime::of(loop)->add(first);
    loop_lifetime::of(loop)->add(second);
  }
  EXPECT_EQ(notified, "");
}

class shared : public loop_guest {
 public:
  explicit shared(asio::execution_context& l) : loop(l) {}
  void loop_destroyed() noexcept override { is_destroyed = true; }
  asio::execution_context& loop;
  bool is_destroyed = false;
};
class shared_too final : public shared {
 public:
  using shared::shared;
};

TEST(loop_lifetime, has_one_shared_guest_of_each_type) {
  std::shared_ptr<shared> one;
  {
    asio::io_context loop;
    one = loop_lifetime::of(loop)->shared_guest<shared>();
    EXPECT_EQ(&one->loop, &loop);
    EXPECT_EQ(one, loop_lifetime::of(loop)->shared_guest<shared>());
    EXPECT_NE(one, loop_lifetime::of(loop)->shared_guest<shared_too>());
    EXPECT_FALSE(one->is_destroyed);
  }
  EXPECT_TRUE(one->is_destroyed);
}

TEST(loop_handle, posts_from_other_threads_until_the_loop_is_gone) {
  int ran = 0;
  std::shared_ptr<loop_handle> plain, strand;
  {
    asio::io_context loop;
    plain = loop_handle::make(loop.get_executor());
    strand = loop_handle::make(asio::make_strand(loop));
    std::jthread([&] { EXPECT_TRUE(plain->post([&] { ++ran; })); }).join();
    EXPECT_TRUE(strand->post([&] { ++ran; }));
    loop.run();
    EXPECT_EQ(ran, 2);
  }
  const auto owned = std::make_shared<int>(1);
  std::jthread([&] { EXPECT_FALSE(plain->post([&, owned] { ++ran; })); }).join();
  EXPECT_FALSE(strand->post([&, owned] { ++ran; }));
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace quarq::test
