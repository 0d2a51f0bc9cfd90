// Where the jobs of a soak live, and what can be done to it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "soak/checker.hpp"
#include "soak/tcp_proxy.hpp"
#include "support/redis_server.hpp"
#include "support/temp_dir.hpp"

namespace quarq::soak {

/// "sqlite", "redis" or "arq": a file, or a server of the soak's own.
class place {
 public:
  /// Throws std::invalid_argument for another kind.
  explicit place(const std::string& kind);

  std::string url() const;
  /// For a process whose connections can be cut; on a file the same as url().
  std::string cuttable_url() const;
  bool on_redis() const { return redis_ != nullptr; }

  test::redis_server& redis() { return *redis_; }
  tcp_proxy& proxy() { return *proxy_; }
  const std::string& file() const { return file_; }

  /// How all jobs have ended that are kept.
  final_states ends() const;
  /// Jobs that have not ended, cron's next runs apart.
  std::size_t unfinished() const;
  /// Purges all jobs, and tells what is there that should not be.
  std::vector<std::string> left_over();

 private:
  std::vector<std::string> redis_left_over();
  std::vector<std::string> sqlite_left_over() const;

  test::temp_dir folder_;
  std::string kind_, file_;
  std::unique_ptr<test::redis_server> redis_;
  std::unique_ptr<tcp_proxy> proxy_;
};

}  // namespace quarq::soak
