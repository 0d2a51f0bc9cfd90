#include "child.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

void check(int error, const std::string& what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

struct pipe_ends {
  int read = -1, write = -1;
  pipe_ends() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) check(errno, "pipe");
    read = ends[0];
    write = ends[1];
  }
};

// The child starts with no signal blocked or ignored, whatever we do with ours, and in a group of its own:
// Ctrl-C at the terminal is for us, and we end the child.
struct attributes {
  posix_spawnattr_t value;
  attributes() {
    check(::posix_spawnattr_init(&value), "posix_spawnattr_init");
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&value, &none);
    ::posix_spawnattr_setsigdefault(&value, &all);
    ::posix_spawnattr_setpgroup(&value, 0);
    ::posix_spawnattr_setflags(&value,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~attributes() { ::posix_spawnattr_destroy(&value); }
};

struct file_actions {
  posix_spawn_file_actions_t value;
  file_actions() { check(::posix_spawn_file_actions_init(&value), "posix_spawn_file_actions_init"); }
  ~file_actions() { ::posix_spawn_file_actions_destroy(&value); }
  void become(int from, int to) {
    check(::posix_spawn_file_actions_adddup2(&value, from, to), "posix_spawn_file_actions_adddup2");
  }
};

}  // namespace

child::child(std::string label, const std::string& program, std::vector<std::string> arguments)
    : label_(std::move(label)) {
  const pipe_ends in, out;
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (auto& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  const attributes how;
  file_actions files;
  files.become(in.read, STDIN_FILENO);
  files.become(out.write, STDOUT_FILENO);
  files.become(out.write, STDERR_FILENO);
  const int error = ::posix_spawn(&pid_, program.c_str(), &files.value, &how.value, argv.data(), environ);
  ::close(in.read);
  ::close(out.write);
  input_ = in.write;
  output_ = out.read;
  if (error != 0) {
    ::close(input_);
    ::close(output_);
    check(error, "can't start " + program);
  }
}

child::~child() {
  if (!status_) {
    signal(SIGKILL);
    wait();
  }
  ::close(input_);
  if (output_ >= 0) ::close(output_);
}

std::deque<std::string> child::read_lines() {
  char chunk[4096];
  const auto n = ::read(output_, chunk, sizeof chunk);
  if (n < 0 && errno == EINTR) return {};
  if (n <= 0) {
    ::close(output_);
    output_ = -1;
    if (!unfinished_.empty()) unfinished_ += '\n';
  } else {
    unfinished_.append(chunk, static_cast<std::size_t>(n));
  }
  std::deque<std::string> lines;
  for (auto end = unfinished_.find('\n'); end != std::string::npos; end = unfinished_.find('\n')) {
    lines.push_back(unfinished_.substr(0, end));
    unfinished_.erase(0, end + 1);
  }
  return lines;
}

void child::tell(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(input_, text.data(), text.size()) < 0) check(errno, "can't write to the " + label_);
}

void child::signal(int number) noexcept {
  if (!status_) ::kill(pid_, number);
}

int child::wait() {
  while (!status_) {
    int status = 0;
    if (::waitpid(pid_, &status, 0) == pid_) {
      status_ = status;
    } else if (errno != EINTR) {
      check(errno, "waitpid");
    }
  }
  return *status_;
}
