// Where the jobs of a soak live, and what can be done to it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "soak/checker.hpp"
#include "soak/small_disk.hpp"
#include "soak/tcp_proxy.hpp"
#include "soak/wall_clock.hpp"
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
  /// That the file is on; nullptr where none can be mounted, as why_no_disk() says.
  small_disk* disk() { return disk_.get(); }
  const std::string& why_no_disk() const { return why_no_disk_; }
  /// That of workers, clients and operators; and of the server, if there is one.
  wall_clock& clock() { return clock_; }
  wall_clock& servers_clock() { return servers_clock_; }
  /// How long until all go by a clock that was set.
  std::chrono::microseconds clock_known_within() const;

  /// How all jobs have ended that are kept.
  final_states ends() const;
  /// Jobs that have not ended, cron's next runs apart.
  std::size_t unfinished() const;
  /// Purges all jobs, and tells what is there that should not be.
  std::vector<std::string> left_over();

 private:
  void open_file();
  void start_server();
  std::vector<std::string> redis_left_over();
  std::vector<std::string> sqlite_left_over() const;

  test::temp_dir folder_, clocks_;
  wall_clock clock_{clocks_ / "clock"}, servers_clock_{clocks_ / "servers_clock"};
  std::string kind_, file_, why_no_disk_;
  std::unique_ptr<small_disk> disk_;
  std::unique_ptr<test::redis_server> redis_;
  std::unique_ptr<tcp_proxy> proxy_;
};

}  // namespace quarq::soak
