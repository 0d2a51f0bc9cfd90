// A server whose memory and threads are looked at from outside: tests/integration/http_large_bodies.cpp,
// http_server_threads.cpp and http_websocket_slow_readers.cpp. Its command line is that of every server.
#include <cstdint>
#include <set>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include <quarq/http/server.hpp>
#include <quarq/time.hpp>

#include "programs/die_with_parent.hpp"
#include "support/large_body.hpp"

namespace quarq::test {
namespace {

// Whether it was large_body, and how long.
awaitable<std::string> receive_in_parts(http::request& r) {
  large_body_checker checker;
  while (true) {
    const auto part = co_await r.read_body_some();
    if (part.empty()) break;
    checker.add(part);
  }
  co_return checker.result();
}

awaitable<std::string> receive_whole(http::request& r) {
  const auto whole = co_await r.body();
  large_body_checker checker;
  checker.add(whole);
  co_return checker.result();
}

awaitable<void> write_in_parts(http::body_writer& out, std::uint64_t size) {
  large_body_maker maker(size);
  while (true) {
    const auto part = maker.next();
    if (part.empty()) break;
    co_await out.write(part);
  }
}

http::response send_in_parts(std::uint64_t size) {
  return http::streamed("application/octet-stream",
                        [size](http::body_writer& out) { return write_in_parts(out, size); });
}

http::response send_whole(std::uint64_t size) {
  return http::response(200, large_body(size), "application/octet-stream");
}

// Sends to all that are there, as fast as it can, and drops what does not fit.
class broadcaster {
 public:
  awaitable<void> join(http::websocket& one) {
    all_.insert(&one);
    try {
      while (true) {
        const auto said = co_await one.receive();
        co_await one.send(said);
      }
    } catch (...) {
      all_.erase(&one);
      throw;
    }
  }

  awaitable<std::string> send(int messages, std::size_t size) {
    const std::string message(size, 'x');
    for (int i = 0; i < messages; ++i) {
      for (auto* one : all_) one->try_send_binary(message);
      co_await sleep_for(std::chrono::milliseconds(0));
    }
    co_return std::to_string(all_.size());
  }

 private:
  std::set<http::websocket*> all_;
};

void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(int argc, char** argv) {
  allow_many_descriptors();
  http::server server{{.port = 0}};
  http::route_options large;
  large.max_body = std::uint64_t{64} << 20;
  broadcaster live;
  const auto join = [&live](http::websocket& one) { return live.join(one); };
  const auto broadcast = [&live](int messages, std::size_t size) { return live.send(messages, size); };
  server.get("/thread", [] { return std::to_string(::gettid()); })
      .post("/parts", receive_in_parts, large)
      .post("/whole", receive_whole, large)
      .post("/small", receive_whole)
      .get("/parts/{size}", send_in_parts)
      .get("/whole/{size}", send_whole)
      .websocket("/live", join, {.max_message = std::size_t{64} << 20})
      .post("/broadcast/{messages}/{size}", broadcast);
  return server.main(argc, argv);
}

}  // namespace
}  // namespace quarq::test

int main(int argc, char** argv) {
  quarq::test::die_with_parent();
  return quarq::test::serve(argc, argv);
}
