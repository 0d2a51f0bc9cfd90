#include "redis/connect.hpp"

#include <cerrno>
#include <cstddef>
#include <memory>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <sys/socket.h>

namespace quarq::redis {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

void open_for(stream_socket& s, const asio::generic::stream_protocol::endpoint& where) {
  const auto protocol = where.protocol();
  const int fd = ::socket(protocol.family(), protocol.type() | SOCK_CLOEXEC, protocol.protocol());
  if (fd < 0) throw boost::system::system_error(errno, boost::system::system_category(), "socket");
  s.assign(protocol, fd);
}

awaitable<void> connect_to_any(stream_socket& s, std::vector<tcp::endpoint> addresses,
                               std::chrono::milliseconds limit) {
  // Shared with the handler of the timer, which may run when this is over.
  auto is_connecting = std::make_shared<bool>(false);
  asio::steady_timer timer(s.get_executor());
  error_code ec = asio::error::host_not_found;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const asio::generic::stream_protocol::endpoint where(addresses[i]);
    open_for(s, where);
    *is_connecting = true;
    if (i + 1 < addresses.size()) {
      timer.expires_after(limit);
      timer.async_wait([&s, is_connecting](error_code cancelled) {
        error_code ignored;
        if (!cancelled && *is_connecting) s.cancel(ignored);
      });
    }
    co_await s.async_connect(where, asio::redirect_error(asio::use_awaitable, ec));
    *is_connecting = false;
    timer.cancel();
    if (!ec || !s.is_open()) break;  // closed: the caller has given up
    error_code ignored;
    s.close(ignored);
  }
  if (ec) throw boost::system::system_error(ec);
}

}  // namespace quarq::redis
