#include "broker/sqlite/change_notifier.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <quarq/errors.hpp>

namespace quarq::broker::sqlite {

namespace {

base::unique_fd checked_fd(int fd, const std::string& file, const char* doing) {
  if (fd < 0) throw broker_error(fmt::format("{}: cannot {}: {}", file, doing, std::strerror(errno)));
  return base::unique_fd(fd);
}

int watch(int events, const std::string& file) {
  const int number = inotify_add_watch(events, file.c_str(), IN_MODIFY);
  if (number < 0) throw broker_error(fmt::format("{}: cannot watch: {}", file, std::strerror(errno)));
  return number;
}

}  // namespace

change_notifier::change_notifier(const std::string& file) {
  const std::string notify_file = file + "-bell";
  notifier_ =
      checked_fd(::open(notify_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666), notify_file, "open");
  events_ = checked_fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC), notify_file, "watch");
  notify_watch_ = watch(events_.get(), notify_file);
  watch(events_.get(), file + "-wal");
}

void change_notifier::notify() noexcept {
  // A byte that could not be written costs the others some milliseconds: they see the WAL too.
  [[maybe_unused]] const auto written = pwrite(notifier_.get(), "!", 1, 0);
}

change_notifier::pending change_notifier::take_pending() noexcept {
  pending result;
  alignas(inotify_event) char buffer[4096];
  for (;;) {
    const auto size = read(events_.get(), buffer, sizeof buffer);
    if (size <= 0) return result;
    for (const char* at = buffer; at < buffer + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      if (event->wd == notify_watch_) {
        result.notified = true;
        result.written = false;
      } else {
        result.written = true;
      }
      at += sizeof(inotify_event) + event->len;
    }
  }
}

}  // namespace quarq::broker::sqlite
