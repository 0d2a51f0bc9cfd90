// Threads of the library's own, which must not receive the program's signals.
#pragma once

#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>

namespace quarq::base {

/// Blocks all signals in the calling thread while it lives. A thread started meanwhile inherits that.
class signals_blocked {
 public:
  signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;

 private:
  sigset_t before_;
};

/// Starts a thread in which all signals are blocked: they are delivered to the program's own threads. Throws
/// as std::thread does.
template <class F>
std::thread start_thread_without_signals(F&& f) {
  const signals_blocked blocked;
  return std::thread(std::forward<F>(f));
}

}  // namespace quarq::base
