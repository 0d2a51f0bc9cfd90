#include "soak/tcp_proxy.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <list>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/time.hpp>

namespace quarq::soak {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds looks_again_after{5};

struct link {
  explicit link(asio::io_context& loop) : client(loop), server(loop) {}
  void close() {
    boost::system::error_code ignored;
    client.close(ignored);
    server.close(ignored);
  }
  tcp::socket client, server;
  bool stalled = false, answers_lost = false;
  std::shared_ptr<std::atomic<std::size_t>> bytes_per_second;  ///< 0: no limit
};

awaitable<void> pass_on(std::shared_ptr<link> of, tcp::socket& from, tcp::socket& to) {
  std::array<char, 65'536> bytes;
  boost::system::error_code failed;
  auto token = asio::redirect_error(asio::use_awaitable, failed);
  while (!failed) {
    const std::size_t limit = *of->bytes_per_second;
    // Twenty times a second, so that it is a slow link and not one that stops and goes.
    const auto space = asio::buffer(bytes, limit == 0 ? bytes.size() : std::max<std::size_t>(1, limit / 20));
    const auto got = co_await from.async_read_some(space, token);
    while (of->stalled && of->client.is_open()) co_await sleep_for(looks_again_after);
    if (failed) break;
    if (of->answers_lost && &from == &of->server) continue;
    if (limit != 0) co_await sleep_for(std::chrono::microseconds(got * 1'000'000 / limit));
    const auto some = asio::buffer(bytes.data(), got);
    co_await asio::async_write(to, some, token);
  }
  of->close();
}

}  // namespace

struct tcp_proxy::state {
  explicit state(int to)
      : target(asio::ip::address_v4::loopback(), static_cast<unsigned short>(to)),
        acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    asio::co_spawn(loop, accept(), asio::detached);
    thread = std::thread([this] { loop.run(); });
  }
  ~state() {
    loop.stop();
    thread.join();
  }

  awaitable<void> accept() {
    for (;;) {
      boost::system::error_code failed;
      auto token = asio::redirect_error(asio::use_awaitable, failed);
      const auto one = std::make_shared<link>(loop);
      one->bytes_per_second = bytes_per_second;
      co_await acceptor.async_accept(one->client, token);
      if (failed || refusing) continue;
      links.remove_if([](const std::weak_ptr<link>& l) { return l.expired(); });
      links.push_back(one);
      asio::co_spawn(loop, connect(one), asio::detached);
    }
  }

  awaitable<void> connect(std::shared_ptr<link> one) {
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    co_await one->server.async_connect(target, token);
    if (failed) {
      one->close();
      co_return;
    }
    asio::co_spawn(loop, pass_on(one, one->client, one->server), asio::detached);
    asio::co_spawn(loop, pass_on(one, one->server, one->client), asio::detached);
  }

  template <class F>
  void for_each_link(F f) {
    asio::post(loop, [this, f] {
      for (const auto& l : links) {
        if (const auto one = l.lock()) f(*one);
      }
    });
  }

  asio::io_context loop{1};
  tcp::endpoint target;
  tcp::acceptor acceptor;
  std::list<std::weak_ptr<link>> links;
  bool refusing = false;
  const std::shared_ptr<std::atomic<std::size_t>> bytes_per_second =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::thread thread;
};

tcp_proxy::tcp_proxy(int to) : state_(std::make_unique<state>(to)) {}
tcp_proxy::~tcp_proxy() = default;

int tcp_proxy::port() const noexcept {
  return state_->acceptor.local_endpoint().port();
}

void tcp_proxy::cut() {
  state_->for_each_link([](link& l) { l.close(); });
}

void tcp_proxy::limit(std::size_t bytes_per_second) {
  *state_->bytes_per_second = bytes_per_second;
}

void tcp_proxy::stall() {
  state_->for_each_link([](link& l) { l.stalled = true; });
}

void tcp_proxy::refuse_new() {
  asio::post(state_->loop, [this] { state_->refusing = true; });
}

void tcp_proxy::lose_answers() {
  state_->for_each_link([](link& l) { l.answers_lost = true; });
}

}  // namespace quarq::soak
