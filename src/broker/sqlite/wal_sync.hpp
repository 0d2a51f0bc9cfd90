// Waits for the disk in a thread of its own, while the store's thread goes on with the next transactions.
#pragma once

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
/// For the store's thread.
class wal_sync {
 public:
  /// `file`: the database. REQUIRES: SQLite has waited for the WAL once, so that its entry in the folder is stored.
  /// Null if the WAL can't be opened.
  static std::unique_ptr<wal_sync> open(const std::string& file) {
    auto name = file + "-wal";
    base::unique_fd wal(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (wal.get() < 0) return nullptr;
    return std::make_unique<wal_sync>(std::move(name), std::move(wal));
  }
  wal_sync(std::string name, base::unique_fd wal) : name_(std::move(name)), wal_(std::move(wal)) {}
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
  std::optional<failure> wait() const {
    int code = 0;
    do {
      code = fdatasync(wal_.get());
    } while (code != 0 && errno == EINTR);
    if (code == 0) return std::nullopt;
    return failure{
        fmt::format("{}: it is not known whether the disk has stored this: {}", name_, std::strerror(errno)),
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
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<operation>> waiting_;
  bool at_work_ = false, stopping_ = false;
  std::thread thread_;  ///< once something was to be answered later
};

}  // namespace quarq::broker::sqlite
