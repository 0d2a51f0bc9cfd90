// The demo's web server: serves a folder of texts on a free port of 127.0.0.1. Under /slow/ it sends the
// first half of a text and holds the rest until it reads "go on" from its standard input; under /late/ it
// answers as if it were far away, after 200 ms.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include <quarq/event.hpp>
#include <quarq/gather.hpp>
#include <quarq/http/server.hpp>
#include <quarq/run.hpp>
#include <quarq/time.hpp>

#include "end_with_parent.hpp"

namespace asio = boost::asio;
namespace http = quarq::http;

constexpr std::chrono::milliseconds far_away(200);

struct site {
  std::map<std::string, std::string> texts;
  quarq::event go_on;

  const std::string& text(const std::string& page) const {
    const auto found = texts.find(page);
    if (found == texts.end()) throw http::problem(404);
    return found->second;
  }
};

std::map<std::string, std::string> read_pages(const std::filesystem::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    found[entry.path().filename().string()] = text.str();
  }
  return found;
}

http::response send(http::request& request, const std::string& page) {
  auto answer = http::text(request.state<site>().text(page));
  std::cout << "/" << page << " sent" << std::endl;
  return answer;
}

quarq::awaitable<http::response> send_late(std::string page, http::request& request) {
  co_await quarq::sleep_for(far_away);
  co_return send(request, page);
}

quarq::awaitable<void> write_slowly(site& from, std::string page, http::body_writer& out) {
  const std::string_view text = from.text(page);
  const auto half = text.size() - text.size() / 2;
  co_await out.write(text.substr(0, half));
  std::cout << "half of /" << page << " sent, holding the rest" << std::endl;
  try {
    co_await from.go_on.wait();
  } catch (...) {  // the server cancels what nobody waits for any more
    std::cout << "whoever had half of /" << page << " is gone" << std::endl;
    throw;
  }
  co_await out.write(text.substr(half));
  std::cout << "/" << page << " sent, the other half" << std::endl;
}

http::response send_slowly(std::string page, http::request& request) {
  auto& from = request.state<site>();
  if (from.go_on.is_set()) return send(request, page);
  const auto size = std::to_string(from.text(page).size());
  auto answer = http::streamed("text/plain; charset=utf-8", [&from, page](http::body_writer& out) {
    return write_slowly(from, page, out);
  });
  answer.headers.set("Content-Length", size);
  return answer;
}

quarq::awaitable<void> listen_to_stdin(quarq::event& go_on) {
  const auto loop = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor in(loop, ::dup(STDIN_FILENO));
  std::string line;
  boost::system::error_code end;
  while (line != "go on\n") {
    line.clear();
    co_await asio::async_read_until(in, asio::dynamic_buffer(line), '\n',
                                    asio::redirect_error(asio::use_awaitable, end));
    if (end) co_return;
  }
  go_on.set();
}

quarq::awaitable<void> serve(std::string folder) {
  site pages;
  pages.texts = read_pages(folder);
  http::server server({.port = 0});
  server.provide(pages);
  server.get("/{page}", [](std::string page, http::request& request) { return send(request, page); });
  server.get("/late/{page}", send_late);
  server.get("/slow/{page}", send_slowly);
  const std::string home = "http://127.0.0.1:" + std::to_string(server.listen());
  for (const auto& [name, text] : pages.texts)
    std::cout << home << "/" << name << " " << text.size() << " bytes\n";
  std::cout << "ready at " << home << std::endl;
  co_await quarq::gather(server.run(), listen_to_stdin(pages.go_on));
}

int main(int argc, char** argv) {
  end_with_parent();
  ::setenv("QUARQ_LOG", "warn", 0);
  try {
    quarq::run(serve(argc > 1 ? argv[1] : QUARQ_DEMO_PAGES));
  } catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << std::endl;
    return 1;
  }
}
