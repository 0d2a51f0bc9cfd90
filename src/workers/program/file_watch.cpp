#include "workers/program/file_watch.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <quarq/errors.hpp>
#include <quarq/time.hpp>

#include "base/log.hpp"

namespace quarq::workers {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

// A compiler writes its files one after the other, and an editor some of its own beside them.
constexpr std::chrono::milliseconds rest{200};

// Written and closed, or there, or away, in one step. Attributes count for the program: it may be made
// executable last.
constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;
constexpr std::uint32_t wanted = changes | IN_CREATE | IN_ATTRIB | IN_ONLYDIR;

int open_events() {
  const int events = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (events < 0) {
    throw error(fmt::format("could not begin to watch files (inotify): {}", std::strerror(errno)));
  }
  return events;
}

bool is_hidden(const fs::path& file) {
  const auto name = file.filename().native();
  return name.starts_with('.') || name.ends_with('~');
}

}  // namespace

file_watch::file_watch(const asio::any_io_executor& loop, path program,
                       const std::vector<std::string>& folders, const path& except)
    : events_(loop, open_events()), program_(std::move(program)) {
  if (!except.empty()) except_ = fs::weakly_canonical(except);
  watch(program_.parent_path(), false);
  for (const auto& folder : folders) {
    if (!fs::is_directory(folder)) {
      throw usage_error(fmt::format("--watch {}: expected a folder that is there", folder));
    }
    watch_all_in(fs::canonical(folder));
  }
}

void file_watch::watch(const path& folder, bool whole) {
  const int number = ::inotify_add_watch(events_.native_handle(), folder.c_str(), wanted);
  if (number >= 0) {
    // The program's own folder may be one of the others as well.
    auto& found = watched_[number];
    found.folder = folder;
    found.whole = found.whole || whole;
    return;
  }
  const char* hint = errno == ENOSPC ? " (no more than sysctl fs.inotify.max_user_watches folders)" : "";
  throw error(
      fmt::format("could not watch the folder {}: {}{}", folder.native(), std::strerror(errno), hint));
}

void file_watch::watch_all_in(const path& folder) {
  watch(folder, true);
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied);
  for (; at != fs::recursive_directory_iterator(); ++at) {
    if (!at->is_directory() || at->is_symlink()) continue;
    if (is_left_out(at->path())) {
      at.disable_recursion_pending();
    } else {
      watch(at->path(), true);
    }
  }
}

awaitable<std::string> file_watch::changed() {
  std::string first;
  while (first.empty()) {
    co_await events_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    first = read_changes();
  }
  bool at_rest = false;
  while (!at_rest) {
    co_await quarq::sleep_for(rest);
    at_rest = read_changes().empty() && can_be_started();
  }
  co_return first;
}

// All that is known by now; returns the first that matters, or nothing.
std::string file_watch::read_changes() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  std::string first;
  while (true) {
    const auto got = ::read(events_.native_handle(), buffer.data(), buffer.size());
    if (got <= 0) return first;
    const char* const end = buffer.data() + got;
    for (const char* at = buffer.data(); at < end;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      auto change = change_of(event);
      if (first.empty()) first = std::move(change);
      at += sizeof event + event.len;
    }
  }
}

std::string file_watch::change_of(const inotify_event& event) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) return "more than could be counted";
  const auto found = watched_.find(event.wd);
  if (found == watched_.end()) return {};
  if ((event.mask & IN_IGNORED) != 0) {
    watched_.erase(found);
    return {};
  }
  if (event.len == 0) return {};
  const auto file = found->second.folder / event.name;
  if (file == program_) return (event.mask & (changes | IN_ATTRIB)) != 0 ? file.native() : std::string();
  if (!found->second.whole || is_left_out(file)) return {};
  if ((event.mask & IN_ISDIR) == 0) return (event.mask & changes) != 0 ? file.native() : std::string();
  if ((event.mask & (IN_CREATE | IN_MOVED_TO)) == 0) return {};
  try {
    watch_all_in(file);
  } catch (const std::exception& e) {
    base::log().warn("--watch: {}", e.what());  // most likely it has gone again
  }
  // Files may have been put there before it was watched.
  return file.native();
}

bool file_watch::is_left_out(const path& file) const {
  return is_hidden(file) || (!except_.empty() && file.native().starts_with(except_.native()));
}

bool file_watch::can_be_started() const {
  std::error_code none;
  return fs::is_regular_file(program_, none) && ::access(program_.c_str(), X_OK) == 0;
}

}  // namespace quarq::workers
