#include "broker/sqlite/writer_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <quarq/errors.hpp>

#include "base/signals.hpp"
#include "broker/sqlite/database_file.hpp"
#include "broker/sqlite/forked_copy.hpp"
#include "broker/sqlite/schema.hpp"
#include "broker/sqlite/sweep.hpp"

namespace quarq::broker::sqlite {

namespace {

using namespace std::chrono_literals;

// The bounds of a group, so that no answer waits long for others.
constexpr std::size_t max_operations = 1'000;
constexpr std::size_t max_rows = 20'000;
/// How long a group may hold the write lock, which keeps other processes from writing. Operations that have not
/// run by then are left to the next group.
constexpr std::chrono::milliseconds max_lock = 30ms;

/// How often the thread looks at a file for which the system sends no notifications.
constexpr std::chrono::milliseconds polling_pause = 100ms;

/// When to look again after a write to the WAL: its commit is seen only once it is on the disk.
constexpr std::chrono::milliseconds checks_after_write[] = {1ms, 5ms, 20ms, 100ms};

constexpr std::chrono::microseconds first_pause{200}, max_pause{5'000};

/// Where a step took so much longer than it should, the process counts as having stood still.
constexpr std::chrono::milliseconds min_standstill{500};

constexpr int synchronous_normal = 1;

bool in_memory(const database_settings& settings) {
  return settings.file == ":memory:";
}

database_settings with_resolved_file(database_settings settings) {
  if (!in_memory(settings)) settings.file = resolved(settings.file);
  return settings;
}

sqlite3* with_schema(sqlite3* db) {
  use_wal(db);
  execute(db, "PRAGMA journal_size_limit = 67108864");
  // SQLite waits for the disk twice each time; 16 MB of pages that change often are written once instead of four times.
  execute(db, "PRAGMA wal_autocheckpoint = 4000");
  if (!is_complete(db)) {
    execute(db, "BEGIN IMMEDIATE");
    make_schema(db);
    execute(db, "COMMIT");
  }
  return db;
}

/// Whether the error says nothing about the operation that met it: all others would meet it too.
bool is_everybodys(const database_error& error) {
  switch (error.code()) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_NOMEM:
      return false;
    default:
      return true;
  }
}

failure failure_of(const std::exception& error) {
  const auto* from_broker = dynamic_cast<const broker_error*>(&error);
  return {error.what(), from_broker ? from_broker->why() : broker_error::reason::unknown};
}

}  // namespace

std::size_t max_bytes(const database_settings& settings) {
  return static_cast<std::size_t>(settings.max_row) - room_in_row;
}

struct writer_thread::shared_stores {
  std::mutex mutex;
  std::map<std::pair<std::string, int>, std::weak_ptr<writer_thread>> all;  // by file and synchronous

  static shared_stores& here() {
    static shared_stores one;
    return one;
  }
};

std::shared_ptr<writer_thread> writer_thread::shared(database_settings settings) {
  auto& stores = shared_stores::here();
  settings = with_resolved_file(std::move(settings));
  const database_in_use before_the_lock;
  const std::lock_guard lock(stores.mutex);
  auto& known = stores.all[{settings.file, settings.synchronous}];
  auto found = known.lock();
  if (!found || found->gone_) {
    found = std::make_shared<writer_thread>(settings);
    known = found;
  }
  return found;
}

std::vector<std::shared_ptr<writer_thread>> writer_thread::open_in_memory() {
  auto& stores = shared_stores::here();
  const std::lock_guard lock(stores.mutex);
  std::vector<std::shared_ptr<writer_thread>> found;
  for (const auto& [key, store] : stores.all) {
    if (key.first != ":memory:") continue;
    if (auto one = store.lock()) found.push_back(std::move(one));
  }
  return found;
}

writer_thread::writer_thread(database_settings settings)
    : settings_(with_resolved_file(std::move(settings))), waker_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (waker_.get() < 0) throw broker_error(settings_.file + ": cannot make an eventfd");
  thread_ = base::start_thread_without_signals([this] { run(); });
}

writer_thread::~writer_thread() {
  if (in_use_.is_forked_copy()) {
    // The thread is the original's, and SQLite's memory may be locked for ever.
    thread_.detach();
    static_cast<void>(open_.release());
    static_cast<void>(sync_.release());
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(waker_.get(), 1);
  thread_.join();
}

void writer_thread::submit(std::shared_ptr<operation> what) {
  refuse_in_forked_copy();
  bool wake = false;
  if (what->lock_timeout) what->deadline = clock::now() + *what->lock_timeout;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(what));
    wake = std::exchange(asleep_, false);
  }
  if (wake) eventfd_write(waker_.get(), 1);
}

void writer_thread::wall_was_set() {
  using nothing = char;
  auto what = std::make_shared<function_operation<nothing>>(operation::kind::reads, 0,
                                                            [](transaction&) { return nothing(); });
  what->then = [](subscriptions& all, nothing) { all.wake_all(); };
  submit(std::move(what));
}

// ---- sleeping and waking

void writer_thread::run() {
  while (!stopping_) {
    take_batch();
    if (!batch_.empty()) run_batch();
    attend_to_others();
    sleep();
  }
}

void writer_thread::take_batch() {
  if (!next_pieces_.empty() && clock::now() >= next_pieces_at_) batch_.swap(next_pieces_);
  const std::lock_guard lock(mutex_);
  std::size_t rows = 0;
  while (!waiting_.empty() && batch_.size() < max_operations && rows < max_rows) {
    const bool alone = waiting_.front()->needs == operation::kind::scans;
    if (alone && !batch_.empty()) return;
    rows += waiting_.front()->weight;
    batch_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (alone) return;
  }
}

/// When there is something to do although nobody says so.
std::optional<writer_thread::clock::time_point> writer_thread::next_wake() const {
  std::optional<clock::time_point> next;
  if (notifier_ && !subscriptions_.empty()) next = check_again_;
  if (!next_pieces_.empty()) next = std::min(next.value_or(next_pieces_at_), next_pieces_at_);
  return next;
}

/// Returns when there is something to do.
void writer_thread::sleep() {
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty() || stopping_) return;
    asleep_ = true;
  }
  const bool subscribed = notifier_ && !subscriptions_.empty();
  pollfd fds[] = {{waker_.get(), POLLIN, 0}, {subscribed ? notifier_->fd() : -1, POLLIN, 0}};
  timespec max{};
  const auto wake = next_wake();
  if (wake) {
    const auto left = std::max(clock::duration::zero(), *wake - clock::now());
    max.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
    max.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(left % 1s).count();
  }
  ppoll(fds, 2, wake ? &max : nullptr, nullptr);
  eventfd_t ignored;
  eventfd_read(waker_.get(), &ignored);
  const std::lock_guard lock(mutex_);
  asleep_ = false;
}

void writer_thread::attend_to_others() {
  if (!notifier_ || gone_) return;
  const auto pending = notifier_->take_pending();
  if (subscriptions_.empty()) return;
  if (is_polling() && !check_again_) check_again_later();
  const bool due = check_again_ && clock::now() >= *check_again_;
  if (pending.file_touched || (due && is_polling())) end_if_file_is_gone();
  if (gone_) return;
  if (pending.written) {
    checks_made_ = 0;
    check_again_later();
  } else if (pending.notified) {
    check_again_.reset();
  } else if (due) {
    check_again_later();
  } else {
    return;
  }
  try {
    const auto version = open_->tables.version_of_others();
    if (version == version_of_others_) return;
    // In one transaction: without it, each look would lock the file and let it go.
    open_->begin_read.with().run();
    subscriptions_.poll(open_->tables, settings_.times.wall(), settings_.times.uptime());
    open_->commit.with().run();
    version_of_others_ = version;
  } catch (const std::exception&) {
    roll_back();
    // The next operation reports why the file cannot be read; here it is only tried again.
    checks_made_ = std::min(checks_made_, std::size(checks_after_write) - 1);
    check_again_later();
  }
}

void writer_thread::check_again_later() {
  check_again_.reset();
  if (is_polling()) {
    check_again_ = clock::now() + polling_pause;
  } else if (checks_made_ < std::size(checks_after_write))
    check_again_ = clock::now() + checks_after_write[checks_made_++];
}

void writer_thread::end_if_file_is_gone() {
  if (gone_ || !was_moved(open_->file.get())) return;
  gone_ = true;
  notifier_.reset();
  subscriptions_.fail_waits(file_is_gone());
}

failure writer_thread::file_is_gone() const {
  return {settings_.file + ": was deleted or replaced while it was in use: the jobs in it are out of reach",
          broker_error::reason::unknown, true};
}

// ---- transactions

void writer_thread::run_batch() {
  auto pause = first_pause;
  auto seen = clock::now();
  while (!batch_.empty() && !stopping_) {
    try {
      if (!open_) open_file();
      if (!gone_ && !try_batch()) continue;
      // Data in a deleted file is not stored.
      end_if_file_is_gone();
      if (gone_) {
        fail_batch(file_is_gone());
        return;
      }
      finish_batch();
      return;
    } catch (const database_error& error) {
      roll_back();
      if (error.code() == SQLITE_BUSY) {
        forgive_standstill(seen, {});
        fail_late();
        std::this_thread::sleep_for(pause);
        forgive_standstill(seen, pause);
        pause = std::min(pause * 2, max_pause);
      } else {
        fail_batch(failure_of(error));
      }
    } catch (const std::exception& error) {
      roll_back();
      fail_batch(failure_of(error));
    }
  }
}

/// Runs the batch and commits. False: an operation failed, and has left the batch; the others are to run
/// again.
bool writer_thread::try_batch() {
  changes_ = {};
  auto needs = operation::kind::scans;
  for (const auto& one : batch_) needs = std::max(needs, one->needs);
  begin(needs);
  locked_at_ = clock::now();
  if (needs == operation::kind::writes_durably && sync_ && sync_->has_failed()) {
    if (auto error = sync_->write_again()) throw broker_error(error->text, error->why);
  }
  transaction in{open_->tables, settings_.times.wall(), settings_.times.uptime(), changes_};
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (i > 0 && clock::now() - locked_at_ > max_lock) {
      put_back_from(i);
      break;
    }
    auto& one = batch_[i];
    one->error.reset();
    try {
      one->run(in);
    } catch (const database_error& error) {
      if (is_everybodys(error)) throw;
      return run_without(i, failure_of(error));
    } catch (const broker_error& error) {
      // A refusal: it was made before anything was changed.
      one->error = failure_of(error);
    } catch (const std::exception& error) {
      return run_without(i, failure_of(error));
    }
  }
  open_->tables.forget_paused_work(changes_);
  open_->tables.count_enqueued(changes_, in.now);
  open_->commit.with().run();
  return true;
}

void writer_thread::put_back_from(std::size_t index) {
  const auto first = batch_.begin() + static_cast<std::ptrdiff_t>(index);
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(first), std::make_move_iterator(batch_.end()));
  batch_.erase(first, batch_.end());
}

bool writer_thread::run_without(std::size_t index, failure error) {
  roll_back();
  fail(batch_[index], std::move(error));
  batch_.erase(batch_.begin() + static_cast<std::ptrdiff_t>(index));
  return false;
}

void writer_thread::begin(operation::kind needs) {
  if (needs <= operation::kind::reads) {
    open_->begin_read.with().run();
    return;
  }
  const bool sqlite_waits = needs == operation::kind::writes_durably && !sync_;
  const int wanted =
      sqlite_waits ? settings_.synchronous : std::min(settings_.synchronous, synchronous_normal);
  if (wanted != synchronous_now_) {
    execute(open_->file.get(), ("PRAGMA main.synchronous = " + std::to_string(wanted)).c_str());
    synchronous_now_ = wanted;
  }
  open_->begin_write.with().run();
}

void writer_thread::roll_back() noexcept {
  if (open_ && !sqlite3_get_autocommit(open_->file.get())) {
    sqlite3_exec(open_->file.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void writer_thread::finish_batch() {
  if (notifier_ && !changes_.empty()) notifier_->notify();
  const bool is_stored = synchronous_now_ == settings_.synchronous;
  std::vector<std::shared_ptr<operation>> unstored;
  bool others_go_on = false;
  for (const auto& one : batch_) {
    const bool is_durable = is_stored || one->needs != operation::kind::writes_durably;
    const auto next = one->error ? operation::next::answer : one->committed(subscriptions_);
    if (next == operation::next::answer && !is_durable && !one->error) {
      unstored.push_back(one);
    } else if (next == operation::next::answer) {
      one->answer();
      others_go_on = true;
    }
    if (next == operation::next::run_again) {
      if (one->lock_timeout) one->deadline = clock::now() + *one->lock_timeout;
      next_pieces_.push_back(one);
    }
  }
  batch_.clear();
  buried_since_.merge(changes_.buried);
  if (changes_.sweep_due) sweep_soon();
  subscriptions_.notify(changes_);
  // Other processes get as much time with the file as this one has had.
  const auto now = clock::now();
  if (!next_pieces_.empty()) next_pieces_at_ = now + (now - locked_at_);
  if (!unstored.empty()) answer_when_stored(std::move(unstored), others_go_on);
  const bool sqlite_waited = is_stored && synchronous_now_ > synchronous_normal;
  if (sqlite_waited && !sync_ && !in_memory(settings_))
    sync_ = wal_sync::open(settings_.file, settings_.sync);
}

/// Where there is nothing else to do, the thread waits for the disk itself, which is sooner.
void writer_thread::answer_when_stored(std::vector<std::shared_ptr<operation>> committed, bool others_go_on) {
  if (!others_go_on) {
    const std::lock_guard lock(mutex_);
    others_go_on = !waiting_.empty();
  }
  if (others_go_on || sync_->is_busy()) {
    sync_->answer_later(std::move(committed));
    return;
  }
  const auto error = sync_->wait();
  for (const auto& one : committed) {
    if (error) one->error = error;
    one->answer();
  }
}

void writer_thread::sweep_soon() {
  if (!sweep_.expired()) return;
  auto one = std::make_shared<sweep>(std::exchange(buried_since_, {}));
  sweep_ = one;
  next_pieces_.push_back(std::move(one));
}

void writer_thread::fail(const std::shared_ptr<operation>& one, failure error) {
  one->error = std::move(error);
  one->answer();
}

void writer_thread::fail_batch(const failure& error) {
  for (const auto& one : batch_) fail(one, error);
  batch_.clear();
}

/// While a process was stopped, or its machine was, it has not tried, and those that came back with it may hold the lock in
/// turns: such times don't count.
void writer_thread::forgive_standstill(clock::time_point& seen, clock::duration expected) {
  const auto now = clock::now();
  const auto stood_still = now - std::exchange(seen, now) - expected;
  if (stood_still < min_standstill) return;
  const auto put_off = [&](const auto& one) {
    if (one->deadline) *one->deadline += stood_still;
  };
  std::for_each(batch_.begin(), batch_.end(), put_off);
  const std::lock_guard lock(mutex_);
  std::for_each(waiting_.begin(), waiting_.end(), put_off);
}

/// Fails those whose time for a lock is up.
void writer_thread::fail_late() {
  const failure error{settings_.file + ": locked by another program, for longer than one was to wait"};
  const auto now = clock::now();
  const auto is_late = [&](const auto& one) {
    const bool late = one->deadline && *one->deadline <= now;
    if (late) fail(one, error);
    return late;
  };
  std::erase_if(batch_, is_late);
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, is_late);
}

void writer_thread::open_file() {
  if (!in_memory(settings_)) {
    create_if_missing(settings_.file);
    check_writable(settings_.file);
  }
  auto opened = std::make_unique<open_database>(settings_);
  if (!in_memory(settings_))
    notifier_ = std::make_unique<change_notifier>(settings_.file, settings_.may_watch);
  version_of_others_ = opened->tables.version_of_others();
  synchronous_now_ = -1;
  open_ = std::move(opened);
}

writer_thread::open_database::open_database(const database_settings& settings)
    : file(settings.file, settings.max_row), tables(with_schema(file.get()), settings.times.boot) {}

}  // namespace quarq::broker::sqlite
