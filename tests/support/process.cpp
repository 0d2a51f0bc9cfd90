#include "support/process.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/exec_words.hpp"
#include "support/secrets.hpp"

namespace quarq::test {
namespace {

// What posix_spawn wants to know: files for what is printed, and a group of its own for what it may start.
class spawn_plan {
 public:
  spawn_plan(const std::string& output, const std::string& log) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    constexpr int flags = O_WRONLY | O_CREAT | O_APPEND;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), flags, 0600);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
  }
  ~spawn_plan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

process_end end_from(int status) {
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace

bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds max,
                std::chrono::milliseconds pause) {
  const auto deadline = std::chrono::steady_clock::now() + max;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

std::string program(const std::string& name) {
  return std::string(QUARQ_TEST_BIN_DIR) + "/" + name;
}

process::process(std::vector<std::string> words, std::map<std::string, std::string> environment) {
  const spawn_plan plan(dir_ / "stdout", dir_ / "stderr");
  // What is started tells by the last whether its parent is still the test that started it.
  std::vector<std::string> changes;
  for (const auto& [name, value] : environment) changes.push_back(name + "=" + value);
  changes.push_back("QUARQ_TEST_PARENT=" + std::to_string(getpid()));
  auto variables = environment_with(changes);
  const auto arguments = pointers_to(words);
  const auto env = pointers_to(variables);
  const int failed =
      posix_spawn(&pid_, arguments[0], &plan.actions, &plan.attributes, arguments.data(), env.data());
  if (failed != 0) throw std::system_error(failed, std::generic_category(), "start " + words[0]);
}

process::~process() {
  kill();
  expect_no_secret("a program of the test", output());
  expect_no_secret("a program of the test", log());
}

void process::signal(int number) const {
  if (!end_) ::kill(pid_, number);
}

void process::kill() {
  if (end_) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  end_ = end_from(status);
}

void process::freeze() const {
  signal(SIGSTOP);
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED) < 0 && errno == EINTR) {
  }
}

void process::thaw() const {
  signal(SIGCONT);
}

std::optional<process_end> process::ended() {
  int status = 0;
  if (!end_ && waitpid(pid_, &status, WNOHANG) == pid_) end_ = end_from(status);
  return end_;
}

std::optional<process_end> process::wait(milliseconds max) {
  eventually([this] { return ended().has_value(); }, max);
  return end_;
}

std::string process::output() const {
  return read_file(dir_ / "stdout");
}
std::string process::log() const {
  return read_file(dir_ / "stderr");
}

std::vector<std::string> process::lines() const {
  std::vector<std::string> all;
  const std::string text = output();
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    all.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

bool process::logs(std::string_view text, milliseconds max) const {
  return eventually([&] { return log().find(text) != std::string::npos; }, max);
}

std::string tail(const std::string& text, std::size_t lines) {
  std::size_t begin = text.size();
  for (std::size_t n = 0; begin > 0; --begin) {
    if (text[begin - 1] == '\n' && begin != text.size() && ++n == lines) break;
  }
  return text.substr(begin);
}

std::string read_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

}  // namespace quarq::test
