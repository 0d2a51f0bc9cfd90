#include "soak/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "support/process.hpp"

namespace quarq::soak {

// A preloaded clock (shim/clock.cpp) stands before libc, not before the kernel.
micros true_time() {
  timespec now{};
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return micros(std::chrono::seconds(now.tv_sec) + std::chrono::microseconds(now.tv_nsec / 1000));
}

journal_writer::journal_writer(const std::string& path)
    : file_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), "journal " + path);
}

journal_writer::~journal_writer() {
  close(file_);
}

void journal_writer::note(std::string_view event, std::initializer_list<std::string_view> words) const {
  note_of(getpid(), event, words);
}

void journal_writer::note_of(pid_t pid, std::string_view event,
                             std::initializer_list<std::string_view> words) const {
  auto line = fmt::format("{} {} {}", event, true_time().time_since_epoch().count(), pid);
  for (const auto word : words) line.append(" ").append(word);
  line += '\n';
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::system_error(errno, std::generic_category(), "write to the journal");
  }
}

std::vector<entry> read_journal(const std::string& path) {
  std::vector<entry> all;
  std::istringstream file(test::read_file(path));
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    entry one;
    std::int64_t at = 0;
    words >> one.event >> at >> one.pid;
    if (!words) throw std::runtime_error("journal: not a line of it: " + line);
    one.at = micros(std::chrono::microseconds(at));
    for (std::string word; words >> word;) one.words.push_back(std::move(word));
    one.line = all.size() + 1;
    all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(),
            [](const entry& a, const entry& b) { return std::tie(a.at, a.line) < std::tie(b.at, b.line); });
  return all;
}

}  // namespace quarq::soak
