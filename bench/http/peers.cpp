#include "peers.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../python.hpp"

namespace quarq::bench {

peer own_peer(const std::string& name, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), std::filesystem::read_symlink("/proc/self/exe"));
  return {name, std::move(arguments)};
}

std::vector<peer> python_peer(report& out, const std::string& name, const std::string& module,
                              const std::string& script, std::vector<std::string> arguments) {
  const std::filesystem::path source = QUARQ_BENCH_SOURCE_DIR;
  const auto python = source.parent_path() / "build/peers/bin/python";
  try {
    if (!std::filesystem::exists(python)) throw std::runtime_error("there is no " + python.string());
    output_of({python, "-c", "import " + module});
  } catch (const std::exception& e) {
    out.heading(fmt::format("{} is left out: {}", name, e.what()));
    return {};
  }
  std::vector<std::string> command{python, "-B", source / "http" / script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return {{name, std::move(command)}};
}

std::vector<std::string> on_processor(const char* which, std::vector<std::string> command) {
  const std::vector<std::string> pin = {"/usr/bin/taskset", "-c", which};
  command.insert(command.begin(), pin.begin(), pin.end());
  return command;
}

running_server::running_server(const peer& of) : process_(on_processor("0", of.command)) {
  const auto has_said_port = [this] { return !process_.lines().empty(); };
  if (!test::eventually(has_said_port, std::chrono::seconds(10)))
    throw std::runtime_error(fmt::format("{} did not start: {}", of.name, test::tail(process_.log())));
  port_ = std::stoi(process_.lines().front());
}

double running_server::cpu_seconds() const {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(process_.pid(), &clock) != 0 || ::clock_gettime(clock, &used) != 0)
    throw std::runtime_error("the server is gone: " + test::tail(process_.log()));
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double running_server::resident_kib() const {
  std::ifstream file(fmt::format("/proc/{}/statm", process_.pid()));
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

std::string spread(const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax(values);
  const int digits = least < 10 ? 2 : least < 1000 ? 1 : 0;
  return fmt::format("{:.{}f} to {:.{}f}", least, digits, most, digits);
}

}  // namespace quarq::bench
