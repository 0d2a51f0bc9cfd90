#include "processes/memory_file.hpp"

#include <cerrno>

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace quarq::processes {

namespace {

bool is_pending(int signal) noexcept {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

}  // namespace

int resize(int descriptor, std::uint64_t size) noexcept {
  sigset_t too_long, before;
  sigemptyset(&too_long);
  sigaddset(&too_long, SIGXFSZ);
  const bool was_pending = is_pending(SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &too_long, &before);
  const int failure = ftruncate(descriptor, static_cast<off_t>(size)) == 0 ? 0 : errno;
  // The kernel has sent it to this very thread.
  const timespec at_once{};
  if (failure == EFBIG && !was_pending) sigtimedwait(&too_long, nullptr, &at_once);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return failure;
}

}  // namespace quarq::processes
