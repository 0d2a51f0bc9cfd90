// Waits for the disk in a thread of its own, while the store's thread goes on with the next transactions.
#pragma once

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/signals.hpp"
#include "base/unique_fd.hpp"
#include "broker/sqlite/operation.hpp"

namespace quarq::broker::sqlite {

/// A commit with `synchronous=normal` is in the WAL, where every process sees it; that it outlives a power failure is
/// known when the disk has stored the WAL (fdatasync). SQLite would wait for that with the file locked. Here the
/// lock is free again, and one wait for the disk is for all that was committed before it.
///
/// What the disk has refused once, the kernel takes for stored: the next fdatasync succeeds, and says nothing of it. So
/// after a failure nothing counts as stored until the WAL was written again.
///
/// For the store's thread.
class wal_sync {
 public:
  using sync_function = int (*)(int fd);

  /// `file`: the database. `sync`: as fdatasync. REQUIRES: SQLite has waited for the WAL once, so that its entry in the
  /// folder is stored. Null if the WAL can't be opened.
  static std::unique_ptr<wal_sync> open(const std::string& file, sync_function sync = ::fdatasync) {
    auto name = file + "-wal";
    base::unique_fd wal(::open(name.c_str(), O_RDWR | O_CLOEXEC));
    if (wal.get() < 0) return nullptr;
    return std::make_unique<wal_sync>(std::move(name), std::move(wal), sync);
  }
  wal_sync(std::string name, base::unique_fd wal, sync_function sync = ::fdatasync)
      : name_(std::move(name)), wal_(std::move(wal)), sync_(sync) {}
  /// Waits for the disk if it is at work, and drops what it has not begun.
  ~wal_sync() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  wal_sync(const wal_sync&) = delete;
  wal_sync& operator=(const wal_sync&) = delete;

  /// Waits for the disk here. Nothing: all that was committed before is stored.
  std::optional<failure> wait() {
    const int before = failed_with_;
    const int error = before != 0 ? before : ask_disk();
    if (error == 0) return std::nullopt;
    failed_with_ = error;
    return failure{
        fmt::format("{}: it is not known whether the disk has stored this: {}", name_, std::strerror(error)),
        broker_error::reason::unknown};
  }

  /// Whether the disk has refused something that was not written again.
  bool has_failed() const noexcept { return failed_with_ != 0; }

  /// Writes all that the WAL holds once more, and waits for the disk. It is still in memory: the kernel keeps what it could
  /// not write until it needs the room. REQUIRES: this process holds the file's write lock, so that nobody else writes to
  /// the WAL. Nothing: all that was committed is stored.
  std::optional<failure> write_again() {
    int error = rewrite();
    if (error == 0) error = ask_disk();
    failed_with_ = error;
    if (error == 0) return std::nullopt;
    return failure{
        fmt::format("{}: the disk did not store all that was written, and does not take it now: {}", name_,
                    std::strerror(error)),
        broker_error::reason::unknown};
  }

  /// Answers these operations, which are committed, when they are stored; with a failure if that is not known.
  void answer_later(std::vector<std::shared_ptr<operation>> committed) {
    {
      const std::lock_guard lock(mutex_);
      for (auto& one : committed) waiting_.push_back(std::move(one));
    }
    if (!thread_.joinable()) thread_ = base::start_thread_without_signals([this] { run(); });
    changed_.notify_one();
  }

  /// Whether some of them have not been answered yet.
  bool is_busy() {
    const std::lock_guard lock(mutex_);
    return at_work_ || !waiting_.empty();
  }

 private:
  /// errno, or 0.
  int ask_disk() const {
    int code = 0;
    do {
      code = sync_(wal_.get());
    } while (code != 0 && errno == EINTR);
    return code == 0 ? 0 : errno;
  }
  int rewrite() const {
    std::vector<char> piece(1 << 20);
    for (off_t at = 0;;) {
      const auto got = ::pread(wal_.get(), piece.data(), piece.size(), at);
      if (got < 0) return errno;
      if (got == 0) return 0;
      for (ssize_t done = 0; done < got;) {
        const auto wrote =
            ::pwrite(wal_.get(), piece.data() + done, static_cast<std::size_t>(got - done), at + done);
        if (wrote < 0) return errno;
        done += wrote;
      }
      at += got;
    }
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      const auto committed = std::exchange(waiting_, {});
      at_work_ = true;
      lock.unlock();
      const auto error = wait();
      for (const auto& one : committed) {
        if (error) one->error = error;
        one->answer();
      }
      lock.lock();
      at_work_ = false;
    }
  }

  const std::string name_;
  const base::unique_fd wal_;
  const sync_function sync_;
  std::atomic<int> failed_with_ = 0;  ///< errno
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<operation>> waiting_;
  bool at_work_ = false, stopping_ = false;
  std::thread thread_;  ///< once something was to be answered later
};

}  // namespace quarq::broker::sqlite
