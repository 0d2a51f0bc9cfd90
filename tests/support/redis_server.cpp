#include "support/redis_server.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/default_timeout.hpp"
#include "support/process.hpp"

namespace quarq::test {

namespace {

class file_handle {
 public:
  explicit file_handle(int fd) : fd_(fd) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
  }
  ~file_handle() { close(fd_); }
  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;
  operator int() const noexcept { return fd_; }

 private:
  int fd_;
};

// Free now, but another program may take it before the server does.
int free_port() {
  const file_handle s(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  if (bind(s, reinterpret_cast<sockaddr*>(&where), sizeof where) ||
      getsockname(s, reinterpret_cast<sockaddr*>(&where), &size)) {
    throw std::system_error(errno, std::generic_category(), "no free port");
  }
  return ntohs(where.sin_port);
}

/// Of another version, or one that takes the place of Redis.
std::string server_program() {
  const char* program = std::getenv("QUARQ_TEST_REDIS_SERVER");
  return program == nullptr ? "redis-server" : program;
}

redis::reply ask(int s, const std::vector<std::string>& args) {
  std::string bytes;
  redis::append_command(bytes, args);
  if (send(s, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    throw std::system_error(errno, std::generic_category(), "send to redis-server");
  }
  redis::resp_parser parser;
  redis::reply r;
  while (!parser.next(r)) {
    const auto space = parser.prepare(1 << 16);
    const ssize_t n = recv(s, space.data(), space.size(), 0);
    if (n <= 0)
      throw std::system_error(n ? errno : ECONNRESET, std::generic_category(), "receive from redis-server");
    parser.commit(static_cast<std::size_t>(n));
  }
  return r;
}

}  // namespace

redis_server::redis_server(redis_server_options options) : options_(std::move(options)) {
  if (options_.tls && options_.certificate.empty()) make_certificate();
  for (int attempts = 5;; --attempts) {
    plain_port_ = port_ = free_port();
    if (options_.tls) port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      const bool port_was_taken = log().find("Address already in use") != std::string::npos;
      if (!port_was_taken || attempts == 1) throw;
      std::filesystem::remove(dir_ / "server.log");
      std::filesystem::remove(dir_ / "sentinel.conf");
    }
  }
}

redis_server::~redis_server() {
  if (pid_ > 0) end_with(SIGKILL);
}

void redis_server::kill() {
  end_with(SIGKILL);
}
void redis_server::terminate() {
  end_with(SIGTERM);
}
void redis_server::pause() {
  ::kill(pid_, SIGSTOP);
}
void redis_server::resume() {
  ::kill(pid_, SIGCONT);
}

void redis_server::restart() {
  if (pid_ > 0) terminate();
  start();
}

void redis_server::end_with(int signal) {
  ::kill(pid_, signal);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void redis_server::start() {
  spawn();
  const auto deadline = std::chrono::steady_clock::now() + default_timeout;
  while (!answers()) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      throw std::runtime_error("redis-server ended at its start:\n" + log());
    }
    if (std::chrono::steady_clock::now() > deadline) {
      end_with(SIGKILL);
      throw std::runtime_error("redis-server did not answer in time:\n" + log());
    }
    std::this_thread::sleep_for(look_again_after);
  }
}

// What servers and sentinels have in common.
std::vector<std::pair<std::string, std::string>> redis_server::settings() const {
  std::vector<std::pair<std::string, std::string>> all{{"bind", "127.0.0.1"},
                                                       {"port", std::to_string(plain_port_)},
                                                       {"unixsocket", dir_ / "redis.sock"},
                                                       {"dir", dir_.path().string()},
                                                       {"logfile", dir_ / "server.log"}};
  if (!options_.password.empty()) all.emplace_back("requirepass", options_.password);
  if (options_.tls) {
    all.emplace_back("tls-port", std::to_string(port_));
    all.emplace_back("tls-cert-file", ca_file());
    all.emplace_back("tls-key-file", certificate() + "/server.key");
    all.emplace_back("tls-ca-cert-file", ca_file());
    all.emplace_back("tls-auth-clients", "no");
  }
  return all;
}

std::vector<std::string> redis_server::server_args() const {
  std::vector<std::string> args{server_program()};
  for (const auto& [name, value] : settings()) args.insert(args.end(), {"--" + name, value});
  args.insert(args.end(), {"--save", "", "--daemonize", "no", "--appendfsync", options_.appendfsync});
  args.insert(args.end(), {"--appendonly", options_.appendonly ? "yes" : "no"});
  args.insert(args.end(), options_.extra.begin(), options_.extra.end());
  return args;
}

// A sentinel keeps what it has learnt in its configuration file: a restart must not write that again.
std::vector<std::string> redis_server::sentinel_args() const {
  const std::string file = dir_ / "sentinel.conf";
  std::vector<std::string> args{server_program(), file, "--sentinel"};
  if (std::filesystem::exists(file)) return args;
  std::ofstream out(file);
  for (const auto& [name, value] : settings()) out << name << ' ' << value << '\n';
  for (const auto& line : options_.sentinel) out << line << '\n';
  return args;
}

void redis_server::spawn() {
  std::filesystem::remove(dir_ / "redis.sock");
  auto args = options_.sentinel.empty() ? server_args() : sentinel_args();
  std::vector<char*> pointers;
  for (auto& arg : args) pointers.push_back(arg.data());
  pointers.push_back(nullptr);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ > 0) return;
  // A test that crashes must not leave its server behind.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const int nowhere = open("/dev/null", O_RDWR);
  dup2(nowhere, 0);
  dup2(nowhere, 1);
  dup2(nowhere, 2);
  for (const auto& [name, value] : options_.environment) setenv(name.c_str(), value.c_str(), 1);
  execvp(pointers[0], pointers.data());
  _exit(127);
}

bool redis_server::answers() const {
  try {
    return command({"PING"}).text == "PONG";
  } catch (const std::system_error&) {
    return false;
  }
}

std::vector<std::string> redis_server::keys() const {
  std::vector<std::string> all;
  for (const auto& key : command({"KEYS", "*"}).items) all.push_back(key.text);
  std::sort(all.begin(), all.end());
  return all;
}

redis::reply redis_server::command(const std::vector<std::string>& args) const {
  const file_handle s(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  const std::string path = dir_ / "redis.sock";
  std::memcpy(where.sun_path, path.c_str(), std::min(path.size(), sizeof where.sun_path - 1));
  if (connect(s, reinterpret_cast<sockaddr*>(&where), sizeof where)) {
    throw std::system_error(errno, std::generic_category(), "connect to redis-server");
  }
  if (!options_.password.empty()) ask(s, {"AUTH", options_.password});
  return ask(s, args);
}

std::string redis_server::info(const std::string& section, const std::string& field) const {
  const auto all = command({"INFO", section}).text;
  const auto at = all.find("\n" + field + ":");
  if (at == std::string::npos) return {};
  const auto begin = at + field.size() + 2;
  return all.substr(begin, all.find('\r', begin) - begin);
}

int redis_server::calls_of(const std::string& command) const {
  const auto stats = info("commandstats", "cmdstat_" + command);
  return stats.empty() ? 0 : std::stoi(stats.substr(stats.find("calls=") + 6));
}

void redis_server::make_certificate() {
  const std::string command_line =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
      " -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
      " -keyout " +
      (dir_ / "server.key") + " -out " + (dir_ / "server.crt") + " 2>" + (dir_ / "openssl.log");
  if (std::system(command_line.c_str()) != 0)
    throw std::runtime_error("openssl made no certificate: " + command_line);
}

std::string redis_server::url(int database) const {
  return (options_.tls ? "rediss://" : "redis://") +
         (options_.password.empty() ? std::string() : ":" + options_.password + "@") + endpoint() + "/" +
         std::to_string(database);
}

std::string redis_server::unix_url() const {
  return "redis+unix://" + (options_.password.empty() ? std::string() : ":" + options_.password + "@") +
         (dir_ / "redis.sock");
}

std::string redis_server::log() const {
  const std::ifstream file(dir_ / "server.log");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  constexpr std::size_t max = 4000;
  return all.size() > max ? all.substr(all.size() - max) : all;
}

}  // namespace quarq::test
