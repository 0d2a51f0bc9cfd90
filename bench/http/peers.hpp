// The programs that the benchmark of HTTP measures beside each other.
#pragma once

#include <string>
#include <vector>

#include "../report.hpp"
#include "support/process.hpp"

namespace quarq::bench {

struct peer {
  std::string name;
  std::vector<std::string> command;
};

/// This program with other arguments: a server or a client that it has itself.
peer own_peer(const std::string& name, std::vector<std::string> arguments);
/// A script of this folder under the Python that ./dev has made for peers. Nothing if that, or `module`, is absent:
/// then a line says so.
std::vector<peer> python_peer(report& out, const std::string& name, const std::string& module,
                              const std::string& script, std::vector<std::string> arguments = {});

/// The command, bound to one processor: servers run on "0", what loads them on "1".
std::vector<std::string> on_processor(const char* which, std::vector<std::string> command);

/// A server that prints its port as its first line. Started for a round, and ended with it.
class running_server {
 public:
  explicit running_server(const peer& of);
  int port() const noexcept { return port_; }
  /// Seconds that it has spent on processors so far.
  double cpu_seconds() const;
  double resident_kib() const;

 private:
  test::process process_;
  int port_ = 0;
};

double median(std::vector<double> values);
/// "12.3 to 14.5".
std::string spread(const std::vector<double>& values);

}  // namespace quarq::bench
