// A program that serves calls over HTTP, and nothing else.
#pragma once

#include <cstdint>
#include <memory>

#include <quarq/awaitable.hpp>
#include <quarq/handlers.hpp>
#include <quarq/http/server.hpp>
#include <quarq/rpc/serve.hpp>

namespace quarq::rpc {

struct server_options {
  http::server_options http = {};
  service_options calls = {};
};

/// The handlers of a worker, for quarq::http_machines and for whoever can send an HTTP request:
///
///     int main(int argc, char** argv) {
///       quarq::handlers all;
///       all.handle(count_words, do_count_words);
///       return quarq::rpc::server(all).main(argc, argv);
///     }
///
///     curl -H 'Content-Type: application/json' -d '{"text": "one two"}' localhost:8080/rpc/count_words
///
/// Handlers run on the loop of run(), its threads and processes. Thread safety: only stop() may be called from other
/// threads.
class server {
 public:
  explicit server(const handlers& those, server_options options = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// For other routes, authentication, middlewares and limits.
  http::server& http() noexcept;

  /// As those of http::server. Handlers that can't be used, and what on_startup throws, are thrown by run().
  std::uint16_t listen();
  [[QUARQ_MUST_AWAIT]] awaitable<void> run();
  void stop();
  int main(int argc, char** argv);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace quarq::rpc
