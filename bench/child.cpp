#include "child.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace quarq::bench {

child::child(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  std::string self = "/proc/self/exe";
  argv.push_back(self.data());
  std::vector<std::string> copies = arguments;
  for (auto& a : copies) argv.push_back(a.data());
  argv.push_back(nullptr);
  const int error = ::posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
  if (error != 0) throw std::runtime_error("could not start a worker process");
}

child::~child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

cost child::end(bool by_itself) {
  if (!by_itself) ::kill(pid_, SIGTERM);
  int status = 0;
  rusage used{};
  ::wait4(pid_, &status, 0, &used);
  pid_ = -1;
  if (status != 0) throw std::runtime_error(fmt::format("a worker process ended with status {}", status));
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return {seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024};
}

double child::cpu_now() const {
  double nanoseconds = 0;
  // The first field of each thread's schedstat is its time on a processor, in ns; /proc/PID/stat counts in 10
  // ms.
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_))) {
    std::ifstream stat(task.path() / "schedstat");
    double of_thread = 0;
    if (stat >> of_thread) nanoseconds += of_thread;
  }
  return nanoseconds / 1e9;
}

}  // namespace quarq::bench
