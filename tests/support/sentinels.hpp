// A Redis master, its replica and three sentinels, all of a test's own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/redis_server.hpp"

namespace quarq::test {

struct sentinels_options {
  bool tls = false;        ///< everywhere
  std::string password{};  ///< of master and replica
  /// What is asked of those who come to the sentinels.
  std::string sentinel_user{}, sentinel_password{};
};

/// The sentinels call the master "jobs", agree by two of three that it is lost when it has said nothing for a
/// second, and are in more of a hurry than usual otherwise. The constructor returns when all know each other
/// and the replica. Functions that wait throw std::runtime_error if it takes too long.
class sentinels {
 public:
  explicit sentinels(sentinels_options options = {});

  redis_server& first() { return *first_; }    ///< the master at the beginning
  redis_server& second() { return *second_; }  ///< its replica
  redis_server& sentinel(std::size_t i) { return *sentinels_.at(i); }

  /// "127.0.0.1:5000,127.0.0.1:5001,127.0.0.1:5002"
  std::string hosts() const;
  /// What a user would write, for the dialect "redis" or "arq".
  std::string url(const std::string& dialect = "redis") const;

  /// The replica has all that the master has now.
  void wait_replicated();
  /// Ordered from a sentinel while everybody lives.
  void order_failover();
  /// All sentinels that live say that the second is the master.
  void wait_failed_over();

 private:
  std::vector<std::string> sentinel_lines() const;
  bool ready(const redis_server& sentinel) const;

  sentinels_options options_;
  std::unique_ptr<redis_server> first_, second_;
  std::vector<std::unique_ptr<redis_server>> sentinels_;
};

/// Polls; throws std::runtime_error that names `what` if it does not come to hold.
void wait_until(const std::string& what, const std::function<bool()>& holds);

}  // namespace quarq::test
