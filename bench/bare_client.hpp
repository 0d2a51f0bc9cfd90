// A Redis client that only writes and reads, blocking, on one socket: for the floor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "redis/resp.hpp"

namespace quarq::bench {

class bare_client {
 public:
  explicit bare_client(int port);
  ~bare_client();
  bare_client(const bare_client&) = delete;
  bare_client& operator=(const bare_client&) = delete;

  /// Puts a command into the next write.
  void add(const std::vector<std::string>& words);
  void add_encoded(std::string_view bytes) { out_ += bytes; }
  void flush();
  redis::reply read();
  redis::reply call(const std::vector<std::string>& words);

 private:
  int socket_ = -1;
  std::string out_;
  redis::resp_parser parser_;
};

/// CPU time that the server has used so far, as it says itself.
double server_cpu_seconds(bare_client& client);

}  // namespace quarq::bench
