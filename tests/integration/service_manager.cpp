// A worker under a service manager: what it says to the socket that systemd would listen on.
#include <cstddef>
#include <cstring>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/unique_fd.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test::service_manager_tests {
namespace {

/// The end of the protocol that is systemd's.
class notify_socket {
 public:
  explicit notify_socket(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, path.c_str(), sizeof(at.sun_path) - 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)), 0) << path;
  }

  /// The next message; empty if none comes.
  std::string next() const {
    pollfd readable{fd_.get(), POLLIN, 0};
    const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(default_timeout).count();
    if (::poll(&readable, 1, static_cast<int>(most)) != 1) return {};
    char text[4096];
    const auto length = ::recv(fd_.get(), text, sizeof(text), 0);
    return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
  }

  /// Whether a message that begins so comes; others before it are dropped.
  bool hears(std::string_view beginning) const {
    for (auto message = next(); !message.empty(); message = next()) {
      if (message.starts_with(beginning)) return true;
    }
    return false;
  }

 private:
  base::unique_fd fd_;
};

class service_manager : public testing::Test {
 protected:
  process start(std::map<std::string, std::string> environment) {
    return process({program("fault_worker"), "--broker", "sqlite:" + (dir_ / "jobs.db")},
                   std::move(environment));
  }
  temp_dir dir_;
  notify_socket socket_{dir_ / "notify"};
};

TEST_F(service_manager, hears_when_a_worker_serves_and_when_it_stops) {
  auto worker = start({{"NOTIFY_SOCKET", dir_ / "notify"}});
  EXPECT_EQ(socket_.next(), "READY=1\nSTATUS=serving sqlite:" + (dir_ / "jobs.db")) << worker.log();
  worker.signal(SIGTERM);
  EXPECT_EQ(socket_.next(), "STOPPING=1") << worker.log();
}

TEST_F(service_manager, hears_from_the_loop_again_and_again_if_it_watches) {
  auto worker = start({{"NOTIFY_SOCKET", dir_ / "notify"}, {"WATCHDOG_USEC", "50000"}});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(socket_.hears("WATCHDOG=1")) << worker.log();
  worker.signal(SIGTERM);
  EXPECT_TRUE(socket_.hears("STOPPING=1")) << worker.log();
}

TEST_F(service_manager, another_processs_watchdog_is_left_alone) {
  const auto worker =
      start({{"NOTIFY_SOCKET", dir_ / "notify"}, {"WATCHDOG_USEC", "1000"}, {"WATCHDOG_PID", "1"}});
  EXPECT_TRUE(socket_.next().starts_with("READY=1")) << worker.log();
  worker.signal(SIGTERM);
  EXPECT_EQ(socket_.next(), "STOPPING=1") << worker.log();
}

TEST_F(service_manager, a_worker_serves_without_it_if_its_address_makes_no_sense) {
  auto worker = start({{"NOTIFY_SOCKET", "vsock:2"}});
  EXPECT_TRUE(
      worker.logs("NOTIFY_SOCKET is \"vsock:2\", which is no socket that can be used", default_timeout));
  EXPECT_TRUE(worker.logs("serves default", default_timeout)) << worker.log();
}

}  // namespace
}  // namespace quarq::test::service_manager_tests
