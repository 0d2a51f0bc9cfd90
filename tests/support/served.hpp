// An HTTP server on a thread of its own.
#pragma once

#include <cstdint>
#include <exception>
#include <thread>

#include <quarq/http/server.hpp>
#include <quarq/run.hpp>

namespace quarq::test {

/// Runs the server until it is destroyed, or until stop() and wait().
class served {
 public:
  explicit served(http::server& server) : server_(server), port(server.listen()) {
    thread_ = std::thread([this] {
      try {
        run(server_.run());
      } catch (...) {
        failure_ = std::current_exception();
      }
    });
  }
  ~served() {
    if (!thread_.joinable()) return;
    server_.stop();
    server_.stop();
    thread_.join();
  }
  served(const served&) = delete;
  served& operator=(const served&) = delete;

  /// Until run() has returned; throws what it threw.
  void wait() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  http::server& server_;

 public:
  const std::uint16_t port;

 private:
  std::thread thread_;
  std::exception_ptr failure_;
};

}  // namespace quarq::test
