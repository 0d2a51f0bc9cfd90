// A redis-server of a test's own.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "redis/resp.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

struct redis_server_options {
  bool appendonly = false;  ///< every write on disk before it is answered
  bool tls = false;  ///< url() is rediss://, with a certificate for "localhost" and 127.0.0.1 of its own
  std::string
      certificate{};  ///< with tls: the folder of another server, whose certificate this one shows too
  std::string password{};
  std::vector<std::string> extra{};  ///< more arguments, as on the command line: "--maxmemory", "10mb"
  /// If not empty, it is a sentinel, and these are more lines of its configuration file.
  std::vector<std::string> sentinel{};
};

/// Runs on a free port of the loopback and a Unix socket, in a folder of its own; all of it is gone at the
/// end. Its functions return when what they do has happened, and throw std::runtime_error, with the end of
/// the server's log, if it does not.
class redis_server {
 public:
  explicit redis_server(redis_server_options options = {});
  ~redis_server();
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;

  /// SIGKILL, as in a crash.
  void kill();
  /// SIGTERM: it saves and ends.
  void terminate();
  /// Starts it again, on the same port and files.
  void restart();
  /// SIGSTOP: it holds its connections and says nothing.
  void pause();
  void resume();

  std::string url(int database = 0) const;
  std::string unix_url() const;
  int port() const noexcept { return port_; }
  /// The plain port; the same as port() without TLS.
  int plain_port() const noexcept { return plain_port_; }
  pid_t pid() const noexcept { return pid_; }
  /// The certificate that its TLS certificate can be checked with.
  std::string ca_file() const { return certificate() + "/server.crt"; }
  /// The folder with it and its key.
  std::string certificate() const {
    return options_.certificate.empty() ? dir_.path().string() : options_.certificate;
  }
  std::string log() const;

  /// Sends one command over a connection of its own (the Unix socket), so that a test can look at the server
  /// without using what it tests.
  redis::reply command(const std::vector<std::string>& words) const;
  /// All keys, sorted.
  std::vector<std::string> keys() const;

 private:
  void start();
  void spawn();
  std::vector<std::string> arguments() const;
  std::vector<std::string> arguments_of_sentinel() const;
  bool answers() const;
  void end_with(int signal);
  void make_certificate();

  temp_dir dir_;
  redis_server_options options_;
  int port_ = 0, plain_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace quarq::test
