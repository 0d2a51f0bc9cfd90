// One server on several loops.
#include <csignal>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/http/server.hpp>
#include <quarq/run.hpp>

#include "support/errors.hpp"
#include "support/raw_connection.hpp"
#include "support/server_program.hpp"

namespace quarq::test::http_server_threads {
namespace {

constexpr const char* get_thread = "GET /thread HTTP/1.1\r\nHost: a\r\n\r\n";

// The kernel spreads connections by chance: some hundred reach all loops.
std::set<std::string> threads_that_answer(std::uint16_t port, std::size_t wanted) {
  std::set<std::string> found;
  for (int i = 0; i < 1000 && found.size() < wanted; ++i) {
    raw_connection c(port);
    c.send(get_thread);
    found.insert(c.read().value().body);
  }
  return found;
}

TEST(http_server_threads, main_serves_on_as_many_loops_as_it_is_told_to) {
  server_program server({"--threads", "3"});
  EXPECT_EQ(threads_that_answer(server.port(), 3).size(), 3u);
  server.child().signal(SIGTERM);
  const auto end = server.child().wait(default_timeout);
  ASSERT_TRUE(end) << "it did not stop";
  EXPECT_EQ(end->code, 0) << server.child().log();
}

TEST(http_server_threads, a_wrong_number_is_refused) {
  for (const char* wrong : {"0", "-1", "many", "1025", ""}) {
    process server({program("http_server"), "--threads", wrong});
    const auto end = server.wait(default_timeout);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->code, 2);
    EXPECT_NE(server.log().find(std::string("--threads: ") + wrong + " is not a number from 1 to 1024"),
              std::string::npos)
        << server.log();
  }
}

class loops {
 public:
  explicit loops(http::server& server) : server_(server) {
    for (auto& one : threads_) one = std::jthread([this] { run(server_.run()); });
  }
  ~loops() {
    server_.stop();
    server_.stop();
  }
  loops(const loops&) = delete;
  loops& operator=(const loops&) = delete;

 private:
  http::server& server_;
  std::jthread threads_[2];
};

TEST(http_server_threads, two_loops_run_one_server) {
  http::server_options o;
  o.port = 0;
  o.reuse_port = true;
  http::server server(o);
  server.get("/thread",
             [] { return std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id())); });
  const auto port = server.listen();
  const loops both(server);
  EXPECT_EQ(threads_that_answer(port, 2).size(), 2u);
}

awaitable<void> run_twice(http::server& server) {
  auto second = server.run();
  const auto why = co_await error_of<usage_error>(std::move(second));
  EXPECT_NE(why.find("it runs already"), why.npos) << why;
  server.stop();
}

TEST(http_server_threads, without_reuse_port_a_second_run_is_refused) {
  http::server_options o;
  o.port = 0;
  http::server server(o);
  server.listen();
  const auto both = [&]() -> awaitable<void> { co_await gather(server.run(), run_twice(server)); };
  run(both());
}

}  // namespace
}  // namespace quarq::test::http_server_threads
