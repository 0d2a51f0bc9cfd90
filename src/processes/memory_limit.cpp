#include "processes/memory_limit.hpp"

#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "base/sanitizers.hpp"

namespace quarq::processes {

namespace {

constexpr std::size_t worth_giving_back = std::size_t{1} << 20;

struct memory_pages {
  unsigned long total = 0, resident = 0, shared = 0, text = 0, library = 0, data = 0;
};

memory_pages read_pages() noexcept {
  memory_pages pages;
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return pages;
  char line[256] = {};
  const ssize_t count = ::read(file, line, sizeof line - 1);
  ::close(file);
  if (count <= 0) return pages;
  std::sscanf(line, "%lu %lu %lu %lu %lu %lu", &pages.total, &pages.resident, &pages.shared, &pages.text,
              &pages.library, &pages.data);
  return pages;
}

std::uint64_t page_size() noexcept {
  return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

bool memory_limits_work() noexcept {
  return !base::sanitized;
}

memory_limit::memory_limit(std::uint64_t max) noexcept : max_(max) {
  if (max == 0 || !memory_limits_work()) return;
  if (mallinfo2().fordblks > worth_giving_back) malloc_trim(0);
  const std::uint64_t limit = read_pages().data * page_size() + max;
  if (getrlimit(RLIMIT_DATA, &before_) != 0 || limit >= before_.rlim_max) return;
  const rlimit during{limit, before_.rlim_max};
  active_ = setrlimit(RLIMIT_DATA, &during) == 0;
}

void memory_limit::lift() noexcept {
  if (std::exchange(active_, false)) setrlimit(RLIMIT_DATA, &before_);
}

std::uint64_t resident_memory() noexcept {
  const memory_pages pages = read_pages();
  return pages.resident > pages.shared ? (pages.resident - pages.shared) * page_size() : 0;
}

}  // namespace quarq::processes
