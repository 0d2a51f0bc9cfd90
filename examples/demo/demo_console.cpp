#include "demo_console.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace {

constexpr std::string_view bold = "\033[1m", dim = "\033[2m", cyan = "\033[36m", plain = "\033[0m";

std::string in_words(std::chrono::seconds max) {
  return std::to_string(max.count()) + " s";
}

}  // namespace

demo_console::demo_console() : colours_(::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr) {
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ending, number);
  ::sigprocmask(SIG_BLOCK, &ending, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = ::signalfd(-1, &ending, SFD_CLOEXEC);
  if (signals_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  ::setenv("QUARQ_DEMO_PARENT", std::to_string(::getpid()).c_str(), 1);
}

demo_console::~demo_console() {
  ::close(signals_);
}

child& demo_console::start(std::string label, const std::string& program,
                           std::vector<std::string> arguments) {
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return children_.emplace_back(std::move(label), (here / program).string(), std::move(arguments));
}

std::string demo_console::expect(child& who, std::string_view text, seconds max) {
  const auto end = std::chrono::steady_clock::now() + max;
  while (true) {
    const auto found = std::find_if(unread_.begin(), unread_.end(), [&](const heard& h) {
      return h.who == &who && h.line.find(text) != std::string::npos;
    });
    if (found != unread_.end()) {
      const std::string line = found->line;
      unread_.erase(unread_.begin(), std::next(found));
      return line;
    }
    if (who.output() < 0) throw std::runtime_error("the " + who.label() + " has ended" + last_words(who));
    if (std::chrono::steady_clock::now() >= end) {
      throw std::runtime_error("the " + who.label() + " did not say \"" + std::string(text) + "\" within " +
                               in_words(max) + last_words(who));
    }
    pump(end);
  }
}

int demo_console::wait(child& who, seconds max) {
  const auto end = std::chrono::steady_clock::now() + max;
  while (who.output() >= 0) {
    if (std::chrono::steady_clock::now() >= end) {
      throw std::runtime_error("the " + who.label() + " did not end within " + in_words(max) +
                               last_words(who));
    }
    pump(end);
  }
  return who.wait();
}

// One round: whatever has been said is shown and remembered.
void demo_console::pump(std::chrono::steady_clock::time_point end) {
  std::vector<pollfd> watched{{signals_, POLLIN, 0}};
  std::vector<child*> speakers{nullptr};
  for (auto& c : children_) {
    if (c.output() < 0) continue;
    watched.push_back({c.output(), POLLIN, 0});
    speakers.push_back(&c);
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
  if (::poll(watched.data(), watched.size(), static_cast<int>(std::max<long>(left, 0))) < 0 &&
      errno != EINTR) {
    throw std::system_error(errno, std::generic_category(), "poll");
  }
  if (watched[0].revents != 0) throw interrupted("interrupted");
  for (std::size_t i = 1; i < watched.size(); ++i) {
    if (watched[i].revents == 0) continue;
    for (auto& line : speakers[i]->read_lines()) {
      show(*speakers[i], line);
      last_.remove_if([&](const heard& h) { return h.who == speakers[i]; });
      last_.push_back({speakers[i], line});
      unread_.push_back({speakers[i], std::move(line)});
    }
  }
}

std::string demo_console::last_words(const child& who) const {
  for (const auto& h : last_) {
    if (h.who == &who) return "; its last line was: " + h.line;
  }
  return "; it said nothing";
}

void demo_console::headline(std::string_view text) {
  print(bold, "\n", text);
}
void demo_console::say(std::string_view text) {
  print({}, "  ", text);
}

void demo_console::show(const child& who, const std::string& line) {
  const std::string name = "    " + who.label() + " | ";
  if (colours_) {
    std::cout << cyan << name << plain << dim << line << plain << std::endl;
  } else {
    print({}, name, line);
  }
}

void demo_console::print(std::string_view style, std::string_view before, std::string_view text) {
  const bool styled = colours_ && !style.empty();
  std::cout << before << (styled ? style : "") << text << (styled ? plain : "") << std::endl;
  if (!std::cout) throw std::runtime_error("can't write to the standard output");
}
