#include "broker/sqlite/change_notifier.hpp"

#include <cerrno>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <quarq/errors.hpp>

namespace quarq::broker::sqlite {

namespace {

constexpr std::uint32_t goes_away = IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

/// Does not follow a link. -1: it can't be opened.
int open_or_make(const char* file) {
  constexpr int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  // Where others may write, Linux may refuse O_CREAT for a file that somebody else has made.
  int fd = ::open(file, flags);
  if (fd < 0 && errno == ENOENT) fd = ::open(file, flags | O_CREAT | O_EXCL, 0666);
  if (fd < 0 && errno == EEXIST) fd = ::open(file, flags);
  return fd;
}

}  // namespace

change_notifier::change_notifier(std::string file, bool may_watch)
    : file_(std::move(file)), bell_file_(file_ + "-bell") {
  open_bell();
  if (may_watch) events_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (events_) watch_all();
}

void change_notifier::open_bell() {
  bell_.reset(open_or_make(bell_file_.c_str()));
  // Without the file, the others still see the writes to the WAL.
  if (!bell_ && errno != ELOOP) return;
  struct stat it{};
  const bool plain = bell_ && fstat(bell_.get(), &it) == 0 && S_ISREG(it.st_mode) && it.st_nlink <= 1;
  if (plain) return;
  bell_.reset();
  throw broker_error(fmt::format(
      "{}: quarq writes to this file, so it must be a plain one, without links: remove it", bell_file_));
}

void change_notifier::watch_all() noexcept {
  const int wal_watch = inotify_add_watch(events_.get(), (file_ + "-wal").c_str(), IN_MODIFY);
  file_watch_ = inotify_add_watch(events_.get(), file_.c_str(), goes_away);
  bell_watch_ = inotify_add_watch(events_.get(), bell_file_.c_str(), IN_MODIFY | goes_away | IN_DONT_FOLLOW);
  // FILE-bell alone would miss the commits of writers that do not use it.
  if (wal_watch < 0 || file_watch_ < 0) events_.reset();
}

/// Where several processes do this at once, all of them open the file that the first one has made.
void change_notifier::mend_bell() noexcept {
  struct stat ours{}, there{};
  const bool same = bell_ && fstat(bell_.get(), &ours) == 0 && lstat(bell_file_.c_str(), &there) == 0 &&
                    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
  if (same) return;
  try {
    open_bell();
  } catch (const std::exception&) {
    return;  // it has become a link, which is not written to
  }
  if (bell_) {
    inotify_rm_watch(events_.get(), bell_watch_);
    bell_watch_ =
        inotify_add_watch(events_.get(), bell_file_.c_str(), IN_MODIFY | goes_away | IN_DONT_FOLLOW);
  }
}

void change_notifier::notify() noexcept {
  // A byte that could not be written costs the others some milliseconds: they see the WAL too.
  if (bell_) {
    [[maybe_unused]] const auto written = pwrite(bell_.get(), "!", 1, 0);
  }
}

change_notifier::pending change_notifier::take_pending() noexcept {
  pending result;
  if (!events_) return result;
  bool bell_touched = false;
  alignas(inotify_event) char buffer[4096];
  for (;;) {
    const auto size = read(events_.get(), buffer, sizeof buffer);
    if (size <= 0) break;
    for (const char* at = buffer; at < buffer + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      if (event->wd == bell_watch_ && (event->mask & goes_away) != 0) {
        bell_touched = true;
      } else if (event->wd == bell_watch_) {
        result.notified = true;
        result.written = false;
      } else if (event->wd == file_watch_) {
        result.file_touched = true;
      } else {
        result.written = true;
      }
      at += sizeof(inotify_event) + event->len;
    }
  }
  if (bell_touched) {
    mend_bell();
    result.notified = true;  // notifications in the meantime were missed
  }
  return result;
}

}  // namespace quarq::broker::sqlite
