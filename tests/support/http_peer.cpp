#include "support/http_peer.hpp"

#include <array>
#include <charconv>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace quarq::test {

namespace asio = boost::asio;
using asio::ip::tcp;

http_peer::http_peer(conversation what, std::shared_ptr<const http::tls_context> tls)
    : what_(std::move(what)),
      tls_(std::move(tls)),
      acceptor_(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
  asio::co_spawn(loop_, accept(), asio::detached);
  thread_ = std::jthread([this] { loop_.run(); });
}

http_peer::~http_peer() {
  loop_.stop();
}

std::string http_peer::url(std::string_view path) const {
  return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + std::string(path);
}

awaitable<void> http_peer::accept() {
  while (true) {
    auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
    const int number = ++accepted_;
    asio::co_spawn(loop_, serve(std::move(socket), number), asio::detached);
  }
}

awaitable<void> http_peer::serve(tcp::socket socket, int number) {
  http::stream io(std::move(socket));
  try {
    if (tls_) co_await io.start_tls(tls_, "");
    co_await what_(io, number);
  } catch (const std::exception&) {
    // The client has gone, as clients do.
  }
  io.close();
  ++closed_;
}

awaitable<std::string> read_request(http::stream& io) {
  std::string text;
  std::size_t wanted = std::string::npos;
  std::array<char, 4096> space;
  while (text.size() < wanted) {
    const auto size = co_await io.read_some(space);
    if (size == 0) co_return "";
    text.append(space.data(), size);
    const auto end = text.find("\r\n\r\n");
    if (end == text.npos || wanted != std::string::npos) continue;
    std::size_t body = 0;
    const std::string name = "\r\nContent-Length: ";
    if (const auto length = text.find(name); length < end)
      std::from_chars(text.data() + length + name.size(), text.data() + end, body);
    wanted = end + 4 + body;
  }
  co_return text;
}

std::string http_answer(std::string_view body, std::string_view fields, std::string_view status) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
  return text.append(fields).append("\r\n").append(body);
}

namespace {

awaitable<void> answer_each(http::stream& io, std::string answer) {
  while (true) {
    const auto request = co_await read_request(io);
    if (request.empty()) co_return;
    co_await io.write(answer);
  }
}

awaitable<void> answer_one(http::stream& io, std::string answer) {
  co_await read_request(io);
  co_await io.write(answer);
}

}  // namespace

http_peer::conversation always(std::string answer) {
  return [answer](http::stream& io, int) { return answer_each(io, answer); };
}

http_peer::conversation once(std::string answer) {
  return [answer](http::stream& io, int) { return answer_one(io, answer); };
}

}  // namespace quarq::test
