#include "http/net/connect.hpp"

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <sys/socket.h>

#include "async/activity.hpp"
#include "async/auto_reset_event.hpp"
#include "base/addresses.hpp"
#include "http/net/address_race.hpp"
#include "http/net/stream.hpp"

namespace quarq::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using steady = std::chrono::steady_clock;

namespace {

error_code open_for(tcp::socket& socket, const tcp::endpoint& address) {
  const auto protocol = address.protocol();
  const int fd = ::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC, protocol.protocol());
  if (fd < 0) return {errno, boost::system::system_category()};
  error_code failure;
  socket.assign(protocol, fd, failure);
  return failure;
}

// Shared with the handlers of the attempts, which run after their end.
class attempts : public std::enable_shared_from_this<attempts> {
 public:
  attempts(const asio::any_io_executor& loop, std::vector<tcp::endpoint> addresses)
      : loop_(async::without_activity(loop)),
        addresses_(std::move(addresses)),
        race_(addresses_.size()),
        changed_(loop) {}

  awaitable<tcp::socket> run(std::string& trying) {
    while (!winner_) {
      while (const auto index = race_.next_to_start(steady::now())) {
        trying = text_of(addresses_[*index]);
        begin(*index);
      }
      if (race_.lost()) throw connect_error(text_of(addresses_[last_failed_]), failure_.message());
      co_await changed_.wait_until(race_.next_start());
    }
    trying = text_of(addresses_[*winner_]);
    auto socket = std::move(*sockets_[*winner_]);
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    co_return socket;
  }

  void abandon() {
    for (const auto& one : sockets_) {
      error_code ignored;
      one->close(ignored);
    }
  }

 private:
  void begin(std::size_t index) {
    sockets_.push_back(std::make_unique<tcp::socket>(loop_));
    auto& socket = *sockets_.back();
    if (const auto failure = open_for(socket, addresses_[index])) {
      end(index, failure);
      return;
    }
    socket.async_connect(addresses_[index], [self = shared_from_this(), index](error_code failure) {
      self->end(index, failure);
    });
  }

  void end(std::size_t index, error_code failure) {
    if (!failure) {
      if (!winner_) winner_ = index;
    } else {
      failure_ = failure;
      last_failed_ = index;
      race_.failed(index);
    }
    changed_.set();
  }

  asio::any_io_executor loop_;
  std::vector<tcp::endpoint> addresses_;
  address_race race_;
  async::auto_reset_event changed_;
  std::vector<std::unique_ptr<tcp::socket>> sockets_;  // in the order of addresses_
  std::optional<std::size_t> winner_;
  std::size_t last_failed_ = 0;
  error_code failure_;
};

}  // namespace

awaitable<tcp::socket> connect_to_any(std::vector<tcp::endpoint> addresses, std::string& trying) {
  if (addresses.empty()) throw connect_error("", "there is no address");
  const auto loop = co_await asio::this_coro::executor;
  const auto all = std::make_shared<attempts>(loop, base::in_turns(std::move(addresses)));
  struct at_end {
    ~at_end() { all.abandon(); }
    attempts& all;
  } const closes_the_others{*all};
  co_return co_await all->run(trying);
}

}  // namespace quarq::http
