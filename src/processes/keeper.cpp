#include "processes/keeper.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "processes/child.hpp"
#include "processes/entry.hpp"

namespace quarq::processes {

namespace {

std::string with_errno(const char* what, int number) {
  return std::string(what) + ": " + std::strerror(number);
}

// A process looks at its own arguments; people look at them in a list of processes.
const char* program_name() {
  return program_invocation_name != nullptr ? program_invocation_name : "quarq";
}

// What posix_spawn is told, freed at its end.
class spawn_plan {
 public:
  explicit spawn_plan(int socket) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, socket, child_socket);
    // A child that reads what is typed for its parent would only confuse.
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions_, child_socket + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~spawn_plan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;

  // 0 or an errno.
  int start(pid_t& pid, const std::string& name) {
    const std::string parent = std::to_string(getpid());
    char* const words[] = {const_cast<char*>(program_name()), const_cast<char*>(child_mark.data()),
                           const_cast<char*>(parent.c_str()), const_cast<char*>(name.c_str()), nullptr};
    return posix_spawn(&pid, "/proc/self/exe", &actions_, &attributes_, words, environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

process_end reap(int pidfd) {
  siginfo_t info{};
  int result = 0;
  do {
    result = waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, WEXITED);
  } while (result < 0 && errno == EINTR);
  process_end end;
  if (result < 0) return end;
  end.kind = info.si_code == CLD_EXITED ? process_end::how::exited : process_end::how::killed;
  end.number = info.si_status;
  return end;
}

}  // namespace

/// One a program. Never destroyed: it works until the program's last moment, and its children die with its
/// thread, which is the one that the death signal of its children is bound to.
class keeper {
 public:
  static keeper& get() {
    static keeper* const only = new keeper;
    return *only;
  }

  static bool is_ours() noexcept { return !forked; }

  void start(spawn_options options) {
    post([this, options = std::make_shared<spawn_options>(std::move(options))] { start_now(*options); });
  }

  void watch(int descriptor, std::function<void()> readable) {
    post([this, descriptor, readable = std::move(readable)]() mutable {
      const std::uint64_t id = next_id_++;
      if (listen(descriptor, id, EPOLLIN | EPOLLONESHOT) != 0) return readable();
      watches_.emplace(id, watched{descriptor, std::move(readable)});
    });
  }

  // After what is posted now, and after the events that are there by then: a descriptor that is listened to
  // because of what was posted shows up in the next round.
  void run_after_events(std::function<void()> work) {
    post([this, work = std::move(work)]() mutable { post(std::move(work)); });
  }

 private:
  struct kept {
    std::shared_ptr<child> process;
    std::function<void(process_end)> on_end;
  };
  struct watched {
    int descriptor;
    std::function<void()> readable;
  };
  static constexpr std::uint64_t wake_id = 0;
  static inline std::atomic<bool> forked = false;

  keeper() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_ || !wake_ || listen(wake_.get(), wake_id, EPOLLIN) != 0)
      throw error(with_errno("the thread that keeps child processes can't be made", errno));
    need_child_main();
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
    // Signals are for the program's own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this] { run(); }).detach();
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  int listen(int descriptor, std::uint64_t id, std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event);
  }

  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(work));
      if (posted_.size() > 1) return;
    }
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }

  void run() {
    prctl(PR_SET_NAME, "quarq-keeper");
    // Children inherit the processors of the thread that starts them, and this one was made by whoever came
    // first, perhaps a thread that is bound to one processor.
    cpu_set_t processors;
    if (sched_getaffinity(getpid(), sizeof processors, &processors) == 0)
      sched_setaffinity(0, sizeof processors, &processors);
    epoll_event events[32];
    while (true) {
      const int count = epoll_wait(epoll_.get(), events, 32, -1);
      for (int i = 0; i < count; ++i) handle(events[i].data.u64);
    }
  }

  void handle(std::uint64_t id) {
    if (id == wake_id) return run_posted();
    if (const auto found = watches_.find(id); found != watches_.end()) {
      const auto watch = std::move(found->second);
      watches_.erase(found);
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.descriptor, nullptr);
      watch.readable();
    } else if (const auto ended = children_.find(id); ended != children_.end()) {
      const auto one = std::move(ended->second);
      children_.erase(ended);
      const int pidfd = one.process->pidfd_.get();
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, pidfd, nullptr);
      const process_end end = reap(pidfd);
      if (one.on_end) one.on_end(end);
    }
  }

  void run_posted() {
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    std::vector<std::function<void()>> posted;
    {
      const std::lock_guard lock(mutex_);
      posted.swap(posted_);
    }
    for (auto& work : posted) {
      work();
      work = nullptr;
    }
  }

  void start_now(spawn_options& options) {
    pid_t pid = -1;
    spawn_plan plan(options.socket.get());
    const int failure = plan.start(pid, options.name);
    options.socket.reset();
    if (failure != 0) return fail(options, with_errno("posix_spawn of /proc/self/exe", failure));
    base::unique_fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    const int pidfd_failure = errno;
    const std::uint64_t id = next_id_++;
    if (!pidfd || listen(pidfd.get(), id, EPOLLIN) != 0) {
      const int reason = pidfd ? errno : pidfd_failure;
      ::kill(pid, SIGKILL);
      while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
      }
      return fail(options, with_errno("a child process was started but can't be watched", reason));
    }
    auto process = std::make_shared<child>(pid, std::move(pidfd));
    children_.emplace(id, kept{process, std::move(options.on_end)});
    if (options.on_start) options.on_start(std::move(process));
  }

  static void fail(const spawn_options& options, std::string why) {
    if (options.on_failure) options.on_failure(std::move(why));
  }

  base::unique_fd epoll_;
  base::unique_fd wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  // On the thread only.
  std::uint64_t next_id_ = wake_id + 1;
  std::unordered_map<std::uint64_t, kept> children_;
  std::unordered_map<std::uint64_t, watched> watches_;
};

void child::kill(int signal) const noexcept {
  syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

std::string signal_name(int signal) {
  const char* short_name = sigabbrev_np(signal);
  return short_name ? std::string("SIG") + short_name : "signal " + std::to_string(signal);
}

std::string to_text(const process_end& end) {
  switch (end.kind) {
    case process_end::how::exited:
      return "exited with code " + std::to_string(end.number);
    case process_end::how::killed:
      return "died of " + signal_name(end.number);
    default:
      return "ended, and somebody else asked how (SIGCHLD is ignored, or the program waits for all its "
             "children)";
  }
}

void wait_for_keeper() {
  const auto done = std::make_shared<std::promise<void>>();
  auto result = done->get_future();
  keeper::get().run_after_events([done] { done->set_value(); });
  result.get();
}

bool keeper_is_ours() noexcept {
  return keeper::is_ours();
}

void spawn_async(spawn_options options) {
  check_entry();
  if (!keeper_is_ours())
    throw error("a process that was forked from a program with child processes can't start any itself");
  keeper::get().start(std::move(options));
}

std::shared_ptr<child> spawn(spawn_options options) {
  // Shared, since the one who waits may be gone before the promise has quite been kept.
  const auto started = std::make_shared<std::promise<std::shared_ptr<child>>>();
  auto result = started->get_future();
  options.on_start = [started, then = std::move(options.on_start)](std::shared_ptr<child> one) {
    if (then) then(one);
    started->set_value(std::move(one));
  };
  options.on_failure = [started, then = std::move(options.on_failure)](std::string why) {
    if (then) then(why);
    started->set_exception(std::make_exception_ptr(error("a child process can't be started: " + why)));
  };
  spawn_async(std::move(options));
  return result.get();
}

void watch_once(int descriptor, std::function<void()> readable) {
  keeper::get().watch(descriptor, std::move(readable));
}

std::pair<base::unique_fd, base::unique_fd> make_socket_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw error(with_errno("a socket for a child process can't be made", errno));
  std::pair<base::unique_fd, base::unique_fd> pair{base::unique_fd(ends[0]), base::unique_fd(ends[1])};
  // The numbers up to 3 have a meaning in the child.
  for (base::unique_fd* end : {&pair.first, &pair.second}) {
    if (end->get() > child_socket) continue;
    base::unique_fd higher(fcntl(end->get(), F_DUPFD_CLOEXEC, child_socket + 1));
    if (!higher) throw error(with_errno("a socket for a child process can't be made", errno));
    *end = std::move(higher);
  }
  return pair;
}

}  // namespace quarq::processes
