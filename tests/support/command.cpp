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

std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> all;
  for (char** e = environ; *e; ++e) all.emplace_back(*e);
  for (const auto& change : changes) {
    const std::string prefix = change.substr(0, change.find('=')) + '=';
    std::erase_if(all, [&](const std::string& e) { return e.starts_with(prefix); });
    if (change.size() >= prefix.size()) all.push_back(change);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& w : words) pointers.push_back(w.data());
  pointers.push_back(nullptr);
  return pointers;
}

void close_fd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

command::command(std::vector<std::string> argv, command_options options)
    : name_(argv.at(0)), input_(std::move(options.input)), terminal_(options.terminal) {
  start(std::move(argv), options);
  watcher_ = std::thread([this] { watch(); });
}

command::~command() {
  send_signal(SIGKILL);
  watcher_.join();
  close_fd(pidfd_);
}

void command::start(std::vector<std::string> argv, const command_options& options) {
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
  for (const int fd : {to_, from_out_, from_err_}) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  int why = 0;
  const bool failed = read(failure.read, &why, sizeof why) == sizeof why;
  close_fd(failure.read);
  if (failed) {
    waitpid(pid_, nullptr, 0);
    for (int* fd : {&to_, &from_out_, &from_err_}) close_fd(*fd);
    throw std::system_error(why, std::generic_category(), name_);
  }
  // glibc 2.36 declares pidfd_open for C alone.
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) throw_errno("pidfd_open");
}

// Runs on a thread of its own until the process has ended and all that it wrote is read.
void command::watch() {
  // A child that ends without reading must not end the test.
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
  bool alive = true;
  while (alive) {
    std::array<pollfd, 4> watched = {{{pidfd_, POLLIN, 0},
                                      {from_out_, POLLIN, 0},
                                      {from_err_, POLLIN, 0},
                                      {input_.empty() ? -1 : to_, POLLOUT, 0}}};
    if (input_.empty() && !terminal_) close_fd(to_);
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    alive = watched[0].revents == 0;
    if (watched[3].revents) type_input();
    // What a process left in its pipes before it ended is there when its end is known.
    while (read_some(from_out_, result_.out) || read_some(from_err_, result_.err)) {
    }
  }
  int status = 0;
  const std::lock_guard lock(mutex_);
  waitpid(pid_, &status, 0);
  if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  for (int* fd : {&to_, &from_out_, &from_err_}) close_fd(*fd);
  ended_ = true;
  changed_.notify_all();
}

void command::type_input() {
  const ssize_t n = write(to_, input_.data(), input_.size());
  if (n > 0) {
    input_.erase(0, static_cast<std::size_t>(n));
  } else if (errno != EAGAIN) {
    input_.clear();
    close_fd(to_);
  }
}

bool command::read_some(int& from, std::string& into) {
  if (from < 0) return false;
  char bytes[16384];
  const ssize_t n = read(from, bytes, sizeof bytes);
  if (n == 0) close_fd(from);
  if (n <= 0) return false;
  const std::lock_guard lock(mutex_);
  into.append(bytes, static_cast<std::size_t>(n));
  changed_.notify_all();
  return true;
}

void command::send_signal(int signal) {
  const std::lock_guard lock(mutex_);
  if (!ended_) ::kill(pid_, signal);
}

bool command::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

std::string command::out() const {
  const std::lock_guard lock(mutex_);
  return result_.out;
}

std::string command::err() const {
  const std::lock_guard lock(mutex_);
  return result_.err;
}

std::string command::told() const {
  return "\nit wrote: " + result_.out + "\nand as errors: " + result_.err;
}

void command::wait_for(std::string_view text, seconds most) {
  std::unique_lock lock(mutex_);
  const auto found = [&] {
    return result_.out.find(text) != std::string::npos || result_.err.find(text) != std::string::npos;
  };
  changed_.wait_for(lock, most, [&] { return ended_ || found(); });
  if (found()) return;
  throw std::runtime_error(name_ + (ended_ ? " ended" : " waited for in vain") + " without writing \"" +
                           std::string(text) + "\"" + told());
}

command_result command::wait(seconds most) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, most, [&] { return ended_; })) return result_;
  ::kill(pid_, SIGKILL);
  changed_.wait(lock, [&] { return ended_; });
  throw std::runtime_error(name_ + " did not end in time and was killed" + told());
}

command_result run_command(std::vector<std::string> argv, command_options options, command::seconds most) {
  return command(std::move(argv), std::move(options)).wait(most);
}

}  // namespace quarq::test
