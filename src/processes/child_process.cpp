#include "processes/child_process.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "processes/child_entry.hpp"

namespace quarq::processes {

namespace {

// Only for lists of processes: what runs is /proc/self/exe.
const char* program_name() {
  return program_invocation_name != nullptr ? program_invocation_name : "quarq";
}

// The arguments of posix_spawn, freed at its end.
class spawn_plan {
 public:
  explicit spawn_plan(int socket) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, socket, child_socket);
    // What is typed is for the parent, not for its children.
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
    char* const args[] = {const_cast<char*>(program_name()), const_cast<char*>(child_mark.data()),
                          const_cast<char*>(parent.c_str()), const_cast<char*>(name.c_str()), nullptr};
    return posix_spawn(&pid, "/proc/self/exe", &actions_, &attributes_, args, environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

std::string with_errno(const char* what, int number) {
  return std::string(what) + ": " + std::strerror(number);
}

bool child_process::kill(int signal) const noexcept {
  return syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) == 0 || errno != EPERM;
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

process_end child_process::reap() const noexcept {
  siginfo_t info{};
  int result = 0;
  do {
    result = waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info, WEXITED);
  } while (result < 0 && errno == EINTR);
  process_end end;
  if (result < 0) return end;
  end.kind = info.si_code == CLD_EXITED ? process_end::how::exited : process_end::how::killed;
  end.number = info.si_status;
  return end;
}

child_process start_child(const std::string& name, const base::unique_fd& socket) {
  pid_t pid = -1;
  spawn_plan plan(socket.get());
  if (const int failure = plan.start(pid, name); failure != 0)
    throw error(with_errno("posix_spawn of /proc/self/exe", failure));
  base::unique_fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd) return child_process(pid, std::move(pidfd));
  const int failure = errno;
  ::kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  throw error(with_errno("a child process was started but can't be watched", failure));
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
