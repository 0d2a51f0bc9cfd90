#include "workers/watchdog.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "model/current_job.hpp"
#include "workers/log/printable_job.hpp"

namespace quarq::workers {

namespace {

clock::time_point now() noexcept {
  return machine_clock::read();
}

std::string named(const context& job) {
  std::string task, id;
  return fmt::format("task={} id={}", shown(job.task(), max_logged_task, task),
                     shown(job.id(), max_logged_id, id));
}

constexpr const char* what_to_do =
    "nothing else of this worker runs meanwhile; run such work on level::thread or level::process "
    "(docs/levels.md)";

}  // namespace

// What the thread posts to the loop. It may be called after the watchdog's end.
class watchdog::pulse {
 public:
  using kept = std::optional<clock::time_point>;

  explicit pulse(std::function<void(clock::time_point)> lease_kept) : lease_kept_(std::move(lease_kept)) {}

  // On the loop.
  void beat() {
    kept until;
    {
      const std::lock_guard lock(mutex_);
      has_beaten_ = true;
      until = std::exchange(kept_until_, {});
    }
    if (until && !is_closed_) lease_kept_(*until);
  }
  void close() noexcept { is_closed_ = true; }

  // On the watchdog's thread.
  bool has_beaten() {
    const std::lock_guard lock(mutex_);
    return std::exchange(has_beaten_, false);
  }
  void keep(clock::time_point until) {
    const std::lock_guard lock(mutex_);
    kept_until_ = until;
  }

 private:
  const std::function<void(clock::time_point)> lease_kept_;
  bool is_closed_ = false;  ///< the loop's own
  std::mutex mutex_;
  bool has_beaten_ = false;
  kept kept_until_;
};

watchdog::watchdog(params p)
    : its_(std::move(p)),
      activities_(async::activities::of(its_.loop)),
      loop_(async::loop_handle::make(async::without_activity(its_.loop))),
      pulse_(std::make_shared<pulse>(its_.lease_kept)),
      watch_(its_.limits, now()) {
  thread_ = base::start_thread_without_signals([this] { run(); });
}

watchdog::~watchdog() {
  pulse_->close();
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    if (backup_) backup_->stop();
  }
  ended_.notify_one();
  thread_.join();
}

std::string watchdog::why_silent(milliseconds within) const {
  const std::lock_guard lock(mutex_);
  return now() - last_blocked_at_ <= within ? last_blockage_ : std::string();
}

// ---- the thread

void watchdog::run() {
  bool beat_is_awaited = false;
  while (true) {
    if (!std::exchange(beat_is_awaited, true) && !loop_->post([pulse = pulse_] { pulse->beat(); })) return;
    if (!wait_for(watch_.look_interval())) return;
    const auto seen = see();
    beat_is_awaited = !seen.has_turned;
    const auto todo = watch_.look(seen);
    if (!seen.has_turned) {
      act(todo);
    } else if (todo.is_over) {
      turns_again();
    }
  }
}

// False: the watchdog ends.
bool watchdog::wait_for(milliseconds duration) {
  const auto when = std::chrono::steady_clock::now() + duration;
  if (backup_) backup_->run_until(when);
  std::unique_lock lock(mutex_);
  return !ended_.wait_until(lock, when, [this] { return is_ending_; });
}

loop_watch::sighting watchdog::see() {
  loop_watch::sighting seen;
  seen.now = now();
  seen.has_turned = pulse_->has_beaten();
  if (seen.has_turned) return seen;
  culprit_.clear();
  activities_->observe([&](const void* subject, std::uint64_t switches) {
    seen.switches = switches;
    if (subject == nullptr) return;
    const auto& job = *static_cast<const model::current_job*>(subject);
    const auto limit = job.must_end_by.load(std::memory_order_relaxed);
    if (limit != model::current_job::no_limit) seen.must_end_by = limit;
    culprit_ = named(job.ctx);
  });
  return seen;
}

void watchdog::act(const loop_watch::ruling& todo) {
  // What ran for a moment while many did is not to blame, nor what runs when one has just ended.
  if (todo.report || todo.give_up || watch_.is_by_one()) who_ = who();
  if (todo.report) report();
  if (todo.renew) renew();
  if (todo.give_up) give_up();
  if (is_reported_) note_blockage();
}

void watchdog::report() {
  is_reported_ = true;
  base::log().warn("the loop has been blocked for {} by {}: {}", blocked_for(), who_, what_to_do);
}

void watchdog::note_blockage() {
  const std::lock_guard lock(mutex_);
  last_blocked_at_ = now();
  last_blockage_ = fmt::format("the loop had been blocked for {} by {}", blocked_for(), who_);
}

void watchdog::turns_again() {
  close_backup();
  if (std::exchange(is_reported_, false)) {
    note_blockage();
    base::log().warn("the loop turns again: it had been blocked for {} by {}", blocked_for(), who_);
  }
}

void watchdog::renew() {
  auto lease = its_.lease();
  if (!lease) return;
  try {
    if (!backup_) open_backup();
    backup_->renew(std::move(*lease));
  } catch (const std::exception& e) {
    base::log().warn("could not renew the lease while the loop is blocked: {}", e.what());
  }
}

void watchdog::give_up() {
  close_backup();
  if (!its_.lease()) return;
  base::log().error(
      "the lease is not renewed any more, as {} has blocked the loop for {}: other workers get its jobs",
      who_, blocked_for());
}

void watchdog::open_backup() {
  auto made = std::make_unique<backup_renewer>(
      its_.open_broker, [pulse = pulse_](clock::time_point until) { pulse->keep(until); });
  const std::lock_guard lock(mutex_);
  backup_ = std::move(made);
  if (is_ending_) backup_->stop();
}

void watchdog::close_backup() {
  std::unique_ptr<backup_renewer> old;
  const std::lock_guard lock(mutex_);
  old.swap(backup_);
}

// ---- in words

std::string watchdog::blocked_for() const {
  return base::human_duration(watch_.blocked_for());
}

std::string watchdog::who() const {
  const bool is_job = !culprit_.empty();
  if (watch_.is_by_one()) {
    if (is_job) return culprit_;
    const char* hook = hook_->load(std::memory_order_relaxed);
    return hook != nullptr
               ? hook
               : "something that is not a job (a hook of the worker's, or other code on its loop)";
  }
  return "many handlers in turn" + (is_job ? ", now " + culprit_ : std::string());
}

}  // namespace quarq::workers
