#include "support/command.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/exec_words.hpp"
#include "support/secrets.hpp"

namespace quarq::test {

namespace {

[[noreturn]] void throw_errno(const std::string& doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

struct two_ends {
  int read = -1, write = -1;
};

two_ends make_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC)) throw_errno("pipe");
  return {fds[0], fds[1]};
}

/// `write` is the side of the person at the terminal.
two_ends make_terminal() {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) || unlockpt(master)) throw_errno("terminal");
  const int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) throw_errno("terminal");
  return {slave, master};
}

void close_fd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

/// One run; its destructor leaves nothing of it behind.
class child {
 public:
  explicit child(std::string name) : name_(std::move(name)) {}
  ~child() {
    if (pid_ > 0 && !reaped_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    for (int* fd : {&pidfd_, &to_, &from_out_, &from_err_}) close_fd(*fd);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  void start(std::vector<std::string> argv, const command_options& options);

  command_result run(std::chrono::milliseconds max) {
    const auto end = std::chrono::steady_clock::now() + max;
    while (talk(end)) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    reaped_ = true;
    if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
    return std::move(result_);
  }

 private:
  bool talk(std::chrono::steady_clock::time_point end);
  void type_input();

  std::string name_, input_;
  bool terminal_ = false, reaped_ = false;
  pid_t pid_ = -1;
  int pidfd_ = -1, to_ = -1, from_out_ = -1, from_err_ = -1;
  command_result result_;
};

void child::start(std::vector<std::string> argv, const command_options& options) {
  input_ = options.input;
  terminal_ = options.terminal;
  auto in = terminal_ ? make_terminal() : make_pipe();
  auto out = make_pipe(), err = make_pipe(), failure = make_pipe();
  auto environment = environment_with(options.environment);
  const auto arguments = pointers_to(argv), variables = pointers_to(environment);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    signal(SIGPIPE, SIG_DFL);
    const bool ready = dup2(in.read, 0) == 0 && dup2(out.write, 1) == 1 && dup2(err.write, 2) == 2 &&
                       (options.folder.empty() || chdir(options.folder.c_str()) == 0);
    if (ready) execvpe(arguments[0], arguments.data(), variables.data());
    const int why = errno;
    if (write(failure.write, &why, sizeof why) != sizeof why) _exit(126);
    _exit(127);
  }
  for (int* fd : {&in.read, &out.write, &err.write, &failure.write}) close_fd(*fd);
  to_ = in.write;
  from_out_ = out.read;
  from_err_ = err.read;
  if (options.output_closed) close_fd(from_out_);
  for (const int fd : {to_, from_out_, from_err_}) {
    if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  int why = 0;
  const bool failed = read(failure.read, &why, sizeof why) == sizeof why;
  close_fd(failure.read);
  if (failed) {
    throw std::system_error(why, std::generic_category(), name_);
  }
  // glibc 2.36 declares pidfd_open for C alone.
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) throw_errno("pidfd_open");
}

bool read_some(int& from, std::string& into) {
  if (from < 0) return false;
  char bytes[16384];
  const ssize_t n = read(from, bytes, sizeof bytes);
  if (n == 0) close_fd(from);
  if (n > 0) into.append(bytes, static_cast<std::size_t>(n));
  return n > 0;
}

// False: it has ended, and all that it wrote is read.
bool child::talk(std::chrono::steady_clock::time_point end) {
  if (input_.empty() && !terminal_) close_fd(to_);
  std::array<pollfd, 4> watched = {{{pidfd_, POLLIN, 0},
                                    {from_out_, POLLIN, 0},
                                    {from_err_, POLLIN, 0},
                                    {input_.empty() ? -1 : to_, POLLOUT, 0}}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  if (left.count() <= 0) {
    throw std::runtime_error(name_ + " did not end in time; it wrote:\n" + result_.out +
                             "\nand as errors:\n" + result_.err);
  }
  if (poll(watched.data(), watched.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
    throw_errno("poll");
  if (watched[3].revents) type_input();
  // What it left in its pipes before it ended is there when its end is known.
  while (read_some(from_out_, result_.out) || read_some(from_err_, result_.err)) {
  }
  return watched[0].revents == 0;
}

void child::type_input() {
  const ssize_t n = write(to_, input_.data(), input_.size());
  if (n > 0) {
    input_.erase(0, static_cast<std::size_t>(n));
  } else if (errno != EAGAIN) {
    input_.clear();
    close_fd(to_);
  }
}

// A child that ends without reading must not end the test.
class pipe_signal_blocked {
 public:
  pipe_signal_blocked() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~pipe_signal_blocked() {
    const timespec at_once{};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  pipe_signal_blocked(const pipe_signal_blocked&) = delete;
  pipe_signal_blocked& operator=(const pipe_signal_blocked&) = delete;

 private:
  sigset_t pipe_{}, before_{};
};

}  // namespace

command_result run_command(std::vector<std::string> argv, command_options options,
                           std::chrono::milliseconds max) {
  const std::string name = argv.at(0);
  child started(name);
  started.start(std::move(argv), options);
  const pipe_signal_blocked blocked;
  auto result = started.run(max);
  expect_no_secret(name, result.out);
  expect_no_secret(name, result.err);
  return result;
}

}  // namespace quarq::test
