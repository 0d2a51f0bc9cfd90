// A server of HTTP or RPC on a thread of its own.
#pragma once

#include <cstdint>
#include <exception>
#include <thread>

#include <quarq/http/server.hpp>
#include <quarq/rpc/server.hpp>
#include <quarq/run.hpp>

namespace quarq::test {

/// Runs the server until it is destroyed, or until stop() and wait().
template <class Server>
class basic_served {
 public:
  explicit basic_served(Server& server) : server_(server), port(server.listen()) {
    thread_ = std::thread([this] {
      try {
        run(server_.run());
      } catch (...) {
        failure_ = std::current_exception();
      }
    });
  }
  ~basic_served() {
    if (!thread_.joinable()) return;
    server_.stop();
    server_.stop();
    thread_.join();
  }
  basic_served(const basic_served&) = delete;
  basic_served& operator=(const basic_served&) = delete;

  /// Until run() has returned; throws what it threw.
  void wait() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  Server& server_;

 public:
  const std::uint16_t port;

 private:
  std::thread thread_;
  std::exception_ptr failure_;
};

using served = basic_served<http::server>;
using served_calls = basic_served<rpc::server>;

}  // namespace quarq::test
