// What a server is while it runs: its port, its connections, their deadlines.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/event.hpp>
#include <quarq/http/server.hpp>

#include "http/net/tls_context.hpp"
#include "http/server/deadline_wheel.hpp"
#include "http/server/middleware_chain.hpp"
#include "http/server/reply.hpp"
#include "http/server/router.hpp"

namespace quarq::http {

class connection;

/// What a server was told before it runs.
struct server_setup {
  server_options options;
  router routes;
  detail::middleware_chain chain;
  quarq::detail::state_map state;
  std::shared_ptr<const tls_context> tls;
};

/// Belongs to one loop. Connections hold it.
class service : public std::enable_shared_from_this<service> {
 public:
  service(boost::asio::any_io_executor loop, std::shared_ptr<const server_setup> made,
          boost::asio::ip::tcp::acceptor port);

  /// Accepts until stop(); then ends all connections as server::run() says.
  awaitable<void> run();
  /// A second call ends the wait for handlers.
  void stop();

  bool is_stopping() const noexcept { return stop_requests_ > 0; }
  const server_setup& setup() const noexcept { return *setup_; }

  /// Has the connection watch its socket for the client's end, a moment from now: most handlers are done by then, and
  /// watching costs a system call.
  void watch_later(std::weak_ptr<connection> one);

  deadline_wheel wheel;
  date_line date;
  std::size_t in_flight = 0;

 private:
  awaitable<void> accept_until_stop();
  void accept_what_waits();
  void begin(boost::asio::ip::tcp::socket socket);
  awaitable<void> end_connections();
  void cancel_all();
  void watch_sockets();

  boost::asio::any_io_executor loop_;
  std::shared_ptr<const server_setup> setup_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::list<std::shared_ptr<connection>> connections_;
  event progress_;
  boost::asio::steady_timer watching_;
  std::vector<std::weak_ptr<connection>> to_watch_;
  int stop_requests_ = 0;
  bool hurry_ = false;
};

}  // namespace quarq::http
