#include "fetch.hpp"

#include <array>
#include <stdexcept>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

struct address {
  std::string host, port, path;
};

address parse(const std::string& url) {
  const std::string scheme = "http://";
  if (!url.starts_with(scheme)) throw std::runtime_error(url + ": expected a URL that begins with " + scheme);
  const std::string rest = url.substr(scheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  const std::string authority = rest.substr(0, slash);
  const auto colon = std::min(authority.find(':'), authority.size());
  address to{authority.substr(0, colon), "80", "/"};
  if (colon < authority.size()) to.port = authority.substr(colon + 1);
  if (slash < rest.size()) to.path = rest.substr(slash);
  return to;
}

quarq::awaitable<std::string> exchange(tcp::socket& socket, address to) {
  const std::string request =
      "GET " + to.path + " HTTP/1.1\r\nHost: " + to.host + "\r\nConnection: close\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);

  // Only Beast's parser, with a reading loop of our own: Beast's async_read triples the time to compile this.
  http::response_parser<http::string_body> answer;
  answer.eager(true);
  std::string unread;
  std::array<char, 8192> chunk;
  while (!answer.is_done()) {
    boost::system::error_code end, bad;
    const auto n =
        co_await socket.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, end));
    unread.append(chunk.data(), n);
    if (n > 0) unread.erase(0, answer.put(asio::buffer(unread), bad));
    if (end == asio::error::eof && !answer.is_done()) answer.put_eof(bad);
    if (bad == http::error::need_more) bad = {};
    if (bad) throw boost::system::system_error(bad);
    if (end && end != asio::error::eof) throw boost::system::system_error(end);
  }
  if (answer.get().result() != http::status::ok) {
    throw std::runtime_error(std::to_string(answer.get().result_int()) + " " +
                             std::string(answer.get().reason()));
  }
  co_return std::move(answer.get().body());
}

}  // namespace

quarq::awaitable<std::string> fetch(std::string url) {
  const address to = parse(url);
  const auto loop = co_await asio::this_coro::executor;
  tcp::socket socket(loop);
  try {
    tcp::resolver resolver(loop);
    const auto found = co_await resolver.async_resolve(to.host, to.port, asio::use_awaitable);
    co_await asio::async_connect(socket, found, asio::use_awaitable);
    auto body = co_await exchange(socket, to);
    co_return body;
  } catch (const std::exception& e) {
    throw std::runtime_error(url + ": " + e.what());
  }
}
