#include "levels_floor.hpp"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stopwatch.hpp"

namespace quarq::bench {
namespace {

// False at the end of what the other process writes.
bool read_all(int from, void* to, std::size_t size) {
  for (std::size_t got = 0; got < size;) {
    const auto n = ::read(from, static_cast<char*>(to) + got, size - got);
    if (n <= 0) return false;
    got += static_cast<std::size_t>(n);
  }
  return true;
}

void write_all(int to, const void* from, std::size_t size) {
  for (std::size_t sent = 0; sent < size;) {
    const auto n = ::write(to, static_cast<const char*>(from) + sent, size - sent);
    if (n <= 0) throw std::runtime_error("the other process has ended");
    sent += static_cast<std::size_t>(n);
  }
}

// A fork of this program at the other end of two pipes. It ends when the first one does.
class peer {
 public:
  /// `serve` makes system calls only: other threads of this program may hold locks at the moment of the fork.
  explicit peer(const std::function<void(int from, int to)>& serve) {
    int there[2], back[2];
    if (::pipe2(there, O_CLOEXEC) != 0 || ::pipe2(back, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    // As large as anybody may have it.
    ::fcntl(there[1], F_SETPIPE_SZ, 1 << 20);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(there[1]);
      ::close(back[0]);
      serve(there[0], back[1]);
      ::_exit(0);
    }
    ::close(there[0]);
    ::close(back[1]);
    to_ = there[1];
    from_ = back[0];
  }
  ~peer() {
    ::close(to_);
    ::close(from_);
    ::waitpid(pid_, nullptr, 0);
  }
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  void send(const void* data, std::size_t size) { write_all(to_, data, size); }
  void receive(void* data, std::size_t size) {
    if (!read_all(from_, data, size)) throw std::runtime_error("the other process has ended");
  }

 private:
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

}  // namespace

std::vector<double> pipe_round_trips(std::size_t count, std::size_t size) {
  std::vector<char> message(size);
  peer other([&](int from, int to) {
    while (read_all(from, message.data(), size)) write_all(to, message.data(), size);
  });
  std::vector<double> times;
  times.reserve(count);
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const stopwatch watch;
    other.send(message.data(), size);
    other.receive(message.data(), size);
    // The first tenth warms up.
    if (i >= count / 10) times.push_back(watch.seconds());
  }
  return times;
}

double pipe_bytes_per_second(std::size_t count, std::size_t size) {
  std::vector<char> message(size);
  peer other([&](int from, int to) {
    while (read_all(from, message.data(), size)) write_all(to, message.data(), 1);
  });
  std::vector<double> times;
  for (std::size_t i = 0; i < count + 1; ++i) {
    const stopwatch watch;
    char answer = 0;
    other.send(message.data(), size);
    other.receive(&answer, 1);
    if (i > 0) times.push_back(watch.seconds());
  }
  return static_cast<double>(size) / median(std::move(times));
}

double pipe_items_per_second(std::size_t count) {
  std::int64_t item = 7;
  peer other([&](int from, int to) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!read_all(from, &item, sizeof item)) return;
    }
    write_all(to, &item, 1);
  });
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) other.send(&item, sizeof item);
  char answer = 0;
  other.receive(&answer, 1);
  return static_cast<double>(count) / watch.seconds();
}

double copy_bytes_per_second(std::size_t count, std::size_t size) {
  const std::vector<char> from(size, 'x');
  std::vector<char> to(size);
  std::vector<double> times;
  for (std::size_t i = 0; i < count + 1; ++i) {
    const stopwatch watch;
    std::memcpy(to.data(), from.data(), size);
    asm volatile("" : : "r"(to.data()) : "memory");
    if (i > 0) times.push_back(watch.seconds());
  }
  return static_cast<double>(size) / median(std::move(times));
}

}  // namespace quarq::bench
