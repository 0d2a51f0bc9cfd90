#include "redis/connect.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/addresses.hpp"
#include "support/on_loop.hpp"

namespace quarq::redis {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

tcp::endpoint at(const char* address, unsigned short port = 1) {
  return {asio::ip::make_address(address), port};
}

TEST(redis_connect, both_kinds_of_addresses_take_turns) {
  const std::vector<tcp::endpoint> found = {at("::1"), at("::2"), at("::3"), at("10.0.0.1")};
  const std::vector<tcp::endpoint> expected = {at("::1"), at("10.0.0.1"), at("::2"), at("::3")};
  EXPECT_EQ(base::in_turns(found), expected);
  EXPECT_TRUE(base::in_turns({}).empty());
}

// Its queue of connections is full, so it answers nobody.
class black_hole {
 public:
  explicit black_hole(asio::io_context& loop) : listener_(loop, tcp::endpoint(at("127.0.0.2", 0))) {
    ::listen(listener_.native_handle(), 0);
    for (int i = 0; i < 8; ++i) {
      auto& one = callers_.emplace_back(loop);
      one.open(tcp::v4());
      one.native_non_blocking(true);
      const auto where = listener_.local_endpoint();
      static_cast<void>(::connect(one.native_handle(), where.data(), static_cast<socklen_t>(where.size())));
    }
  }
  tcp::endpoint address() const { return listener_.local_endpoint(); }

 private:
  tcp::acceptor listener_;
  std::vector<tcp::socket> callers_;
};

awaitable<void> connect_past(tcp::endpoint first, tcp::endpoint second, int& descriptor_flags) {
  const auto loop = co_await asio::this_coro::executor;
  stream_socket s(loop);
  std::vector<tcp::endpoint> addresses = {first, second};
  co_await connect_to_any(s, std::move(addresses), 50ms);
  EXPECT_EQ(s.remote_endpoint(), stream_socket::endpoint_type(second));
  descriptor_flags = ::fcntl(s.native_handle(), F_GETFD);
}

TEST(redis_connect, an_address_that_swallows_everything_holds_up_the_next_for_its_limit_only) {
  asio::io_context outside;
  const black_hole hole(outside);
  tcp::acceptor listener(outside, tcp::endpoint(at("127.0.0.1", 0)));
  int flags = 0;
  test::run_on_loop([&] { return connect_past(hole.address(), listener.local_endpoint(), flags); });
  EXPECT_TRUE(flags & FD_CLOEXEC) << "programs that handlers start would inherit it";
}

TEST(redis_connect, the_error_of_the_last_address_is_told) {
  asio::io_context outside;
  tcp::acceptor closed(outside, tcp::endpoint(at("127.0.0.1", 0)));
  const auto nobody = closed.local_endpoint();
  closed.close();
  int flags = 0;
  EXPECT_THROW(test::run_on_loop([&] { return connect_past(nobody, nobody, flags); }),
               boost::system::system_error);
}

}  // namespace
}  // namespace quarq::redis
