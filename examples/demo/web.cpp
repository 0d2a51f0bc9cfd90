// The demo's web server: serves a folder of texts on a free port of 127.0.0.1. Under /slow/ it sends the
// first half of a text and holds the rest until it reads "go on" from its standard input; under /late/ it
// answers as if it were far away, after 200 ms.
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <unistd.h>

#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "end_with_parent.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::chrono::milliseconds far_away(200);

using pages = std::map<std::string, std::string>;

// Lives as long as the server.
struct site {
  explicit site(const asio::any_io_executor& loop) : go_on(loop, asio::steady_timer::time_point::max()) {}
  pages texts;
  asio::steady_timer go_on;  // cancelled: whoever holds back waits no longer
  bool holding = true;
};

pages read_pages(const std::filesystem::path& folder) {
  pages found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    found["/" + entry.path().filename().string()] = text.str();
  }
  return found;
}

quarq::awaitable<std::string> read_target(tcp::socket& socket) {
  http::request_parser<http::empty_body> request;
  std::string unread;
  std::array<char, 4096> chunk;
  while (!request.is_header_done()) {
    const auto n = co_await socket.async_read_some(asio::buffer(chunk), asio::use_awaitable);
    unread.append(chunk.data(), n);
    boost::system::error_code bad;
    unread.erase(0, request.put(asio::buffer(unread), bad));
    if (bad && bad != http::error::need_more) throw boost::system::system_error(bad);
  }
  co_return std::string(request.get().target());
}

quarq::awaitable<void> hold(site& s) {
  boost::system::error_code woken;
  while (s.holding) co_await s.go_on.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

// A guest who still listens says nothing now, so there is nothing to read, but no end either.
bool is_gone(tcp::socket& guest) {
  boost::system::error_code ec;
  char any;
  guest.non_blocking(true);
  guest.read_some(asio::buffer(&any, 1), ec);
  return ec && ec != asio::error::would_block;
}

quarq::awaitable<void> answer(site& s, tcp::socket socket) {
  std::string target = co_await read_target(socket);
  const bool slow = target.starts_with("/slow/"), late = target.starts_with("/late/");
  if (slow || late) target.erase(0, 5);
  if (late) co_await quarq::sleep_for(far_away);
  const auto page = s.texts.find(target);
  if (page == s.texts.end()) {
    const std::string none = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(none), asio::use_awaitable);
    co_return;
  }
  const std::string& text = page->second;
  const std::string whole =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n" +
      ("Content-Length: " + std::to_string(text.size())) + "\r\n\r\n" + text;
  std::size_t sent = 0;
  if (slow && s.holding) {
    sent = whole.size() - text.size() / 2;
    co_await asio::async_write(socket, asio::buffer(whole.data(), sent), asio::use_awaitable);
    std::cout << "half of " << target << " sent, holding the rest" << std::endl;
    co_await hold(s);
    if (is_gone(socket)) {
      std::cout << "whoever had half of " << target << " is gone" << std::endl;
      co_return;
    }
  }
  co_await asio::async_write(socket, asio::buffer(whole) + sent, asio::use_awaitable);
  std::cout << target << " sent" << (sent > 0 ? ", the other half" : "") << std::endl;
}

quarq::awaitable<void> listen_to_stdin(site& s) {
  const auto loop = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor in(loop, ::dup(STDIN_FILENO));
  std::string line;
  while (line != "go on\n") {
    line.clear();
    co_await asio::async_read_until(in, asio::dynamic_buffer(line), '\n', asio::use_awaitable);
  }
  s.holding = false;
  s.go_on.cancel();
}

quarq::awaitable<void> serve(std::string folder) {
  const auto loop = co_await asio::this_coro::executor;
  site s(loop);
  s.texts = read_pages(folder);
  tcp::acceptor door(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  asio::co_spawn(loop, listen_to_stdin(s), asio::detached);
  const std::string home = "http://127.0.0.1:" + std::to_string(door.local_endpoint().port());
  for (const auto& [name, text] : s.texts) std::cout << home << name << " " << text.size() << " bytes\n";
  std::cout << "ready at " << home << std::endl;
  while (true) {
    tcp::socket guest = co_await door.async_accept(asio::use_awaitable);
    // What becomes of one guest does not concern the others.
    asio::co_spawn(loop, answer(s, std::move(guest)), asio::detached);
  }
}

int main(int argc, char** argv) {
  end_with_parent();
  try {
    quarq::run(serve(argc > 1 ? argv[1] : QUARQ_DEMO_PAGES));
  } catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << std::endl;
    return 1;
  }
}
