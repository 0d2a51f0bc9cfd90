#include "soak/wall_clock.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sanitizers.hpp"
#include "support/process.hpp"

namespace quarq::soak {

bool clocks_can_be_set() {
  return !base::sanitized;
}

wall_clock::wall_clock(const std::string& file) : file_(file) {
  const int opened = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void* mapped = MAP_FAILED;
  if (opened >= 0 && ftruncate(opened, sizeof *offset_) == 0)
    mapped = mmap(nullptr, sizeof *offset_, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  const int failed = errno;
  if (opened >= 0) close(opened);
  if (mapped == MAP_FAILED) throw std::system_error(failed, std::generic_category(), "clock " + file);
  offset_ = static_cast<std::atomic<std::int64_t>*>(mapped);
}

wall_clock::~wall_clock() {
  munmap(offset_, sizeof *offset_);
}

std::map<std::string, std::string> wall_clock::environment() const {
  if (!clocks_can_be_set()) return {};
  return {{"LD_PRELOAD", test::program("soak_clock.so")}, {"QUARQ_SOAK_CLOCK", file_}};
}

void wall_clock::set(std::chrono::microseconds ahead) {
  *offset_ = ahead.count();
}

}  // namespace quarq::soak
