// A server whose every byte the test decides.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <quarq/awaitable.hpp>

#include "http/net/stream.hpp"
#include "http/net/tls_context.hpp"

namespace quarq::test {

/// Listens on a free port of 127.0.0.1, on a thread and a loop of its own, until it is destroyed.
class http_peer {
 public:
  /// What happens on one connection, on the peer's loop; the connection is closed when it ends, whether or not it
  /// throws. `number` counts connections from 1.
  using conversation = std::function<awaitable<void>(http::stream& io, int number)>;

  explicit http_peer(conversation what, std::shared_ptr<const http::tls_context> tls = nullptr);
  ~http_peer();
  http_peer(const http_peer&) = delete;
  http_peer& operator=(const http_peer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// "http://127.0.0.1:PORT/path", or https.
  std::string url(std::string_view path = "/") const;
  /// How many connections there have been.
  int accepted() const noexcept { return accepted_; }
  /// How many of them the peer has closed.
  int closed() const noexcept { return closed_; }

 private:
  awaitable<void> accept();
  awaitable<void> serve(boost::asio::ip::tcp::socket socket, int number);

  conversation what_;
  std::shared_ptr<const http::tls_context> tls_;
  boost::asio::io_context loop_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::atomic<int> accepted_{0};
  std::atomic<int> closed_{0};
  std::jthread thread_;
};

/// The next request as it came, with its body; "" if the client has closed. Throws what the stream throws.
awaitable<std::string> read_request(http::stream& io);

/// An answer with Content-Length. `fields` are whole lines: "X: y\r\n".
std::string http_answer(std::string_view body, std::string_view fields = {},
                        std::string_view status = "200 OK");

/// Answers every request of a connection in the same way.
http_peer::conversation always(std::string answer);
/// The same for the first request alone; then it closes.
http_peer::conversation once(std::string answer);

}  // namespace quarq::test
