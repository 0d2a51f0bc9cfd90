// A Redis master, its replica and three sentinels, all of a test's own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/redis_server.hpp"

namespace quarq::test {

struct sentinels_options {
  bool tls = false;        ///< everywhere
  std::string password{};  ///< of master and replica
  /// What clients must authenticate with at the sentinels.
  std::string sentinel_user{}, sentinel_password{};
};

/// The sentinels call the master "jobs", take it for lost when two of three have not heard of it for a
/// second, and do all else faster than by default. The constructor returns when they know each other and the
/// replica. Functions that wait throw std::runtime_error if it takes too long.
class sentinels {
 public:
  explicit sentinels(sentinels_options options = {});

  redis_server& first() { return *first_; }    ///< the master at the beginning
  redis_server& second() { return *second_; }  ///< its replica
  redis_server& sentinel(std::size_t i) { return *sentinels_.at(i); }
  template <class F>
  void each_sentinel(F f) {
    for (const auto& one : sentinels_) f(*one);
  }

  /// "127.0.0.1:5000,127.0.0.1:5001,127.0.0.1:5002"
  std::string hosts() const;
  /// What a user writes, in the dialect "redis" or "arq".
  std::string url(const std::string& dialect = "redis") const;

  /// Returns when the replica has all that the master has now.
  void wait_replicated();
  /// Asks a sentinel to promote the replica while the master still runs.
  void order_failover();
  /// Returns when all sentinels that run name the second server as the master.
  void wait_failed_over();

 private:
  std::vector<std::string> sentinel_lines() const;
  bool ready(const redis_server& sentinel) const;

  sentinels_options options_;
  std::unique_ptr<redis_server> first_, second_;
  std::vector<std::unique_ptr<redis_server>> sentinels_;
};

}  // namespace quarq::test
