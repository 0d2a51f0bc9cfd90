// Jobs in a private redis-server, for tests that every broker must pass.
#pragma once

#include "support/broker_fixtures.hpp"
#include "support/redis_server.hpp"

namespace quarq::test {

/// A server of its own, over TCP or its Unix socket. With an append-only file it can be killed and comes back
/// with all that it had acknowledged.
class redis_fixture : public broker_fixture {
 public:
  enum class over { tcp, unix_socket };
  explicit redis_fixture(over way, redis_server_options options = {})
      : way_(way), keeps_(options.appendonly), server_(options) {}

  std::string url() const override { return way_ == over::tcp ? server_.url() : server_.unix_url(); }
  bool kill_and_restart() override {
    if (!keeps_) return false;
    server_.kill();
    server_.restart();
    return true;
  }
  const redis_server& server() const { return server_; }

 private:
  over way_;
  bool keeps_;
  redis_server server_;
};

/// The same, with jobs as python-arq keeps them.
class arq_fixture : public redis_fixture {
 public:
  explicit arq_fixture(over way, std::string codec, redis_server_options options = {})
      : redis_fixture(way, options), codec_(std::move(codec)) {}

  std::string url() const override {
    const auto redis = redis_fixture::url();  // redis://... or redis+unix://...
    return "arq" + redis.substr(redis.find_first_of(":+")) + "?codec=" + codec_;
  }
  broker_powers powers() const override {
    return {.priorities = false, .an_id_in_each_queue = false, .any_bytes = false};
  }

 private:
  std::string codec_;
};

}  // namespace quarq::test
