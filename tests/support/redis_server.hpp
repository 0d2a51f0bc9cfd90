// A redis-server of a test's own: the one on PATH, or the program that QUARQ_TEST_REDIS_SERVER names.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "redis/resp.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

struct redis_server_options {
  bool appendonly = false;  ///< every write in its file before it is answered
  /// What is in the file survives a kill of the server. "always" has each answer wait for the disk, which the rest of the
  /// machine may keep busy for many seconds.
  std::string appendfsync = "no";
  bool tls = false;  ///< url() is rediss://, with a certificate of its own for "localhost" and 127.0.0.1
  /// With tls: the folder of another server, whose certificate this one presents too.
  std::string certificate{};
  std::string password{};
  std::map<std::string, std::string> environment{};  ///< added to the test's own
  std::vector<std::string> extra{};  ///< more arguments, as on the command line: "--maxmemory", "10mb"
  /// If not empty, the server is a sentinel, and these are further lines of its configuration file.
  std::vector<std::string> sentinel{};
};

/// Runs on a free port of the loopback and on a Unix socket, in a folder of its own, all of which the
/// destructor removes. Functions return when what they do has happened; if it does not, they throw
/// std::runtime_error with the end of the server's log.
class redis_server {
 public:
  explicit redis_server(redis_server_options options = {});
  ~redis_server();
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;

  /// SIGKILL, as in a crash.
  void kill();
  /// SIGTERM: it saves and exits.
  void terminate();
  /// Starts it again, with the same port and files.
  void restart();
  /// SIGSTOP: it keeps its connections and does not answer.
  void pause();
  void resume();

  std::string url(int database = 0) const;
  std::string unix_url() const;
  int port() const noexcept { return port_; }
  /// "127.0.0.1:5000"
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The port without TLS; the same as port() if there is no TLS.
  int plain_port() const noexcept { return plain_port_; }
  pid_t pid() const noexcept { return pid_; }
  /// What its TLS certificate can be checked with.
  std::string ca_file() const { return certificate() + "/server.crt"; }
  /// The folder of its certificate and key.
  std::string certificate() const {
    return options_.certificate.empty() ? dir_.path().string() : options_.certificate;
  }
  std::string log() const;
  /// It has closed a connection because too much was on its way there.
  bool has_cut_off_a_client() const {
    return log().find("overcoming of output buffer limits") != std::string::npos;
  }

  /// Sends one command over a connection of its own, through the Unix socket: a test can look at the server
  /// without the code under test.
  redis::reply command(const std::vector<std::string>& args) const;
  /// A field of INFO, such as info("replication", "role"); empty if it is not there.
  std::string info(const std::string& section, const std::string& field) const;
  /// How often it has executed this command, such as "hget", in scripts too.
  int calls_of(const std::string& command) const;
  /// All keys, sorted.
  std::vector<std::string> keys() const;

 private:
  void start();
  void spawn();
  std::vector<std::pair<std::string, std::string>> settings() const;
  std::vector<std::string> server_args() const;
  std::vector<std::string> sentinel_args() const;
  bool answers() const;
  void end_with(int signal);
  void make_certificate();

  temp_dir dir_;
  redis_server_options options_;
  int port_ = 0, plain_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace quarq::test
