// For LD_PRELOAD: the wall clock of a process, ahead or behind by as many microseconds as the first eight bytes of
// the file QUARQ_SOAK_CLOCK say at the moment. Clocks that count from the start of the machine are left alone.
#include <atomic>
#include <cstdint>
#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace {

const std::atomic<std::int64_t>* offset = nullptr;
int (*libc_clock)(clockid_t, timespec*) = nullptr;

[[gnu::constructor]] void find_offset() {
  libc_clock = reinterpret_cast<int (*)(clockid_t, timespec*)>(dlsym(RTLD_NEXT, "clock_gettime"));
  const char* path = std::getenv("QUARQ_SOAK_CLOCK");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* const mapped = mmap(nullptr, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) offset = static_cast<const std::atomic<std::int64_t>*>(mapped);
}

int shifted(clockid_t which, timespec* now) {
  const int failed = libc_clock != nullptr ? libc_clock(which, now)
                                           : static_cast<int>(syscall(SYS_clock_gettime, which, now));
  if (failed != 0 || offset == nullptr || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE))
    return failed;
  constexpr std::int64_t million = 1'000'000, billion = 1'000'000'000;
  const auto by = offset->load(std::memory_order_relaxed);
  const auto nanoseconds = now->tv_nsec + by % million * 1000;
  now->tv_sec += by / million + (nanoseconds < 0 ? -1 : nanoseconds / billion);
  now->tv_nsec = nanoseconds < 0 ? nanoseconds + billion : nanoseconds % billion;
  return 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t which, timespec* now) noexcept {
  return shifted(which, now);
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec precise{};
  shifted(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* now) noexcept {
  timespec precise{};
  shifted(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}

}  // extern "C"
