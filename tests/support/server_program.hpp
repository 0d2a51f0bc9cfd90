// tests/programs/http_server.cpp as a child.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/process.hpp"

namespace quarq::test {

class server_program {
 public:
  explicit server_program(std::vector<std::string> options = {})
      : process_(words(std::move(options)), unfilled), port_(wait_for_port()) {}

  process& child() noexcept { return process_; }
  std::uint16_t port() const noexcept { return port_; }
  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }

  /// Bytes: the most that it had in memory since it started or since forget_peak().
  std::uint64_t peak_memory() const { return memory("VmHWM:"); }
  std::uint64_t memory_now() const { return memory("VmRSS:"); }
  void forget_peak() const {
    std::ofstream("/proc/" + std::to_string(process_.pid()) + "/clear_refs") << "5";
  }

 private:
  // Memory that ./dev test has filled when it is allocated or freed would count as used.
  static inline const std::map<std::string, std::string> unfilled = {{"MALLOC_PERTURB_", "0"}};

  static std::vector<std::string> words(std::vector<std::string> options) {
    options.insert(options.begin(), program("http_server"));
    return options;
  }

  std::uint16_t wait_for_port() const {
    const std::string mark = "listening on http://127.0.0.1:";
    if (!process_.logs(mark, default_timeout))
      throw std::runtime_error("the server did not start: " + tail(process_.log()));
    const auto log = process_.log();
    return static_cast<std::uint16_t>(std::stoi(log.substr(log.find(mark) + mark.size())));
  }

  std::uint64_t memory(const std::string& which) const {
    std::ifstream status("/proc/" + std::to_string(process_.pid()) + "/status");
    std::string word;
    while (status >> word) {
      std::uint64_t kib = 0;
      if (word == which && status >> kib) return kib * 1024;
    }
    throw std::runtime_error("no " + which);
  }

  process process_;
  std::uint16_t port_;
};

}  // namespace quarq::test
