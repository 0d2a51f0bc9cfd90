#include "broker/sqlite/clocks.hpp"

#include <fstream>

#include <time.h>

namespace quarq::broker::sqlite {

namespace {

time_point read_wall_clock() {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

milliseconds read_uptime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(now.tv_sec) +
                                                  std::chrono::nanoseconds(now.tv_nsec));
}

/// Empty where /proc is not to be had: all processes there then agree on that.
std::string read_boot_id() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

}  // namespace

clocks machine_clocks() {
  static const std::string boot = read_boot_id();
  return {read_wall_clock, read_uptime, boot};
}

}  // namespace quarq::broker::sqlite
