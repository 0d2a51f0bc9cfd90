// Watches from a thread of its own whether a worker's loop turns. Names in the log what blocks it, and keeps the
// worker's lease meanwhile.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/any_io_executor.hpp>

#include "async/activity.hpp"
#include "async/loop_handle.hpp"
#include "workers/backup_renewer.hpp"
#include "workers/loop_watch.hpp"

namespace quarq::workers {

/// The thread looks a few times a second: it posts a function to the loop, and sees at the next look whether
/// the loop has called it. Thread safety: to be made and destroyed on the loop's thread; why_silent() may be
/// called by any.
class watchdog {
 public:
  struct params {
    boost::asio::any_io_executor loop;
    loop_watch::limits limits;
    /// The worker's lease. Nothing: it holds none now. Called by the watchdog's thread.
    std::function<std::optional<renewed_lease>()> lease;
    /// Likewise.
    backup_renewer::opener open_broker;
    /// Called on the loop when it turns again, if the lease was kept until then.
    std::function<void(clock::time_point kept_until)> lease_kept;
  };
  /// Starts the thread.
  explicit watchdog(params p);
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  /// Ends it, and waits for that.
  ~watchdog();

  /// "the loop had been blocked for 9.5 s by task=resize id=01JF…", if that was within the last `within`.
  /// Empty: it was not.
  std::string why_silent(milliseconds within) const;

  /// While it exists, the log blames this hook for a blocked loop if no job runs. To be made and destroyed on the loop's
  /// thread. `watched` may be null; `name` must live for ever.
  class running_hook {
   public:
    running_hook(const watchdog* watched, const char* name) : hook_(watched ? watched->hook_ : nullptr) {
      set(name);
    }
    running_hook(const running_hook&) = delete;
    running_hook& operator=(const running_hook&) = delete;
    ~running_hook() { set(nullptr); }

   private:
    void set(const char* name) noexcept {
      if (hook_) hook_->store(name, std::memory_order_relaxed);
    }
    const std::shared_ptr<std::atomic<const char*>> hook_;
  };

 private:
  class pulse;

  void run();
  void look();
  loop_watch::sighting see();
  void act(const loop_watch::ruling& todo);
  void report();
  void note_blockage();
  void turns_again();
  void renew();
  void give_up();
  void open_backup();
  void close_backup();
  bool wait_for(milliseconds duration);
  std::string blocked_for() const;
  std::string who() const;

  params its_;
  const std::shared_ptr<async::activities> activities_;
  const std::shared_ptr<async::loop_handle> loop_;
  const std::shared_ptr<pulse> pulse_;
  /// The worker's hook that runs now. The frame of a hook may outlive this object, where the loop ends first.
  const std::shared_ptr<std::atomic<const char*>> hook_ = std::make_shared<std::atomic<const char*>>(nullptr);
  // The thread's own.
  loop_watch watch_;
  std::string culprit_;  ///< the job whose handler runs: "task=resize id=01JF…"; empty: none does
  std::string who_;      ///< of whom the log says that it blocks the loop
  bool is_reported_ = false;

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable ended_;
  bool is_ending_ = false;
  std::unique_ptr<backup_renewer>
      backup_;  ///< changed by the thread alone, which may therefore read it without the lock
  std::string last_blockage_;
  clock::time_point last_blocked_at_{};

  std::thread thread_;
};

}  // namespace quarq::workers
