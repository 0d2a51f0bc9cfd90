#include "threads/pool_core.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <pthread.h>

#include "async/handoff.hpp"

namespace quarq::detail {

namespace asio = boost::asio;
using state = thread_call::state;

namespace {

// How deep quarq::run on a thread of a pool nests by work that has nothing to do with what it waits for.
constexpr std::size_t deepest_help = 32;

// After so many pieces of work a thread takes what came from outside, also if it has enough.
constexpr unsigned outsides_turn = 32;

}  // namespace

// Stands in a queue for a call, and drops it if it is not called there.
struct pool_core::call_task {
  // A call gives its place back when it leaves state::queued, which may be before it leaves the queue.
  using holds_no_place = void;

  explicit call_task(std::shared_ptr<thread_call> one) : call(std::move(one)) {}
  call_task(call_task&& other) noexcept = default;
  call_task& operator=(call_task&&) = delete;
  ~call_task() {
    if (call) drop(call);
  }
  void operator()() { execute(std::exchange(call, nullptr)); }

  std::shared_ptr<thread_call> call;
};

struct pool_core::sleeper {
  std::condition_variable woken_up;
  asio::io_context* loop = nullptr;  ///< null: a thread that has nothing else to do
  sleeper* next = nullptr;
  bool lies = false;
};

class pool_core::worker final : public async::helper {
 public:
  worker(pool_core& core, std::size_t index) : core_(core), index_(index) {}

  void start() {
    thread_ = std::thread([this] { run(); });
    const auto number = "-" + std::to_string(index_);
    const auto name = core_.options_.name.substr(0, 15 - std::min<std::size_t>(15, number.size())) + number;
    pthread_setname_np(thread_.native_handle(), name.c_str());
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  static worker* here() noexcept { return here_; }
  bool is_of(const pool_core& core) const noexcept { return &core_ == &core; }

  // ---- calls

  void execute(const std::shared_ptr<thread_call>& call) {
    {
      const std::lock_guard lock(calls_mutex_);
      calls_.push_back(call.get());
      // The pool's end requests the stop of those it finds here.
      if (core_.cancelling_) call->pool_ended = true;
    }
    if (call->pool_ended) call->request_stop();
    call->perform();
    const std::lock_guard lock(calls_mutex_);
    calls_.pop_back();
  }
  void stop_calls() {
    const std::lock_guard lock(calls_mutex_);
    for (auto* const call : calls_) {
      call->pool_ended = true;
      call->request_stop();
    }
  }

  // ---- async::helper

  void enter() override { loops_.emplace_back(); }
  void leave() noexcept override { loops_.pop_back(); }
  bool is_in_loop() const noexcept { return !loops_.empty(); }
  void will_help_with(const std::shared_ptr<thread_call>& call) { loops_.back().queued.push_back(call); }
  std::shared_ptr<std::atomic<std::size_t>> count_awaited() {
    ++*loops_.back().awaited;
    return loops_.back().awaited;
  }

  // A timer or a socket that a loop waits for must find it when it comes. Helping is for a loop that waits
  // for a pool's work, which may need this thread; also another pool's, as pools may wait for each other.
  bool is_helping() const noexcept { return *loops_.back().awaited > 0 && loops_.size() <= deepest_help; }

  bool help() override {
    const async::outside_of_loops outside;
    auto& queued = loops_.back().queued;
    while (!queued.empty()) {
      const auto call = std::move(queued.front());
      queued.pop_front();
      if (call->where() != state::queued) continue;
      if (core_.cancelling_) {
        pool_core::drop(call);
      } else {
        pool_core::execute(call);
      }
      return true;
    }
    if (!is_helping()) return false;
    auto f = core_.find(*this);
    if (!f) return false;
    core_.start(f);
    return true;
  }

  void wait(asio::io_context& loop) override {
    if (!is_helping()) {
      loop.run_one();
      return;
    }
    sleeper me;
    me.loop = &loop;
    core_.lie_down(me);
    if (core_.is_all_empty()) loop.run_one();
    const bool searches = core_.get_up(me);
    if (!searches) return;
    auto f = core_.find(*this);
    core_.stop_searching();
    const async::outside_of_loops outside;
    if (f) core_.start(f);
  }

  threads::work_queue queue;
  unsigned turn = 0;

 private:
  void run();

  static inline thread_local worker* here_ = nullptr;
  pool_core& core_;
  const std::size_t index_;
  std::thread thread_;
  struct loop_here {
    /// Calls to this pool that its coroutines wait for; some of them may have begun.
    std::deque<std::shared_ptr<thread_call>> queued;
    /// How many calls to pools its coroutines wait for. (A coroutine may outlive the loop that it began on.)
    std::shared_ptr<std::atomic<std::size_t>> awaited = std::make_shared<std::atomic<std::size_t>>(0);
  };
  /// From the outermost.
  std::deque<loop_here> loops_;
  std::mutex calls_mutex_;
  std::vector<thread_call*> calls_;

  friend class pool_core;
};

void pool_core::worker::run() {
  here_ = this;
  async::helper::here() = this;
  sleeper me;
  bool searches = false;
  while (true) {
    auto f = core_.find(*this);
    if (f) {
      if (std::exchange(searches, false)) core_.stop_searching();
      core_.start(f);
      continue;
    }
    core_.lie_down(me);
    if (std::exchange(searches, false)) core_.stop_searching();
    if (core_.is_all_empty()) {
      if (!core_.sleep(me)) break;
      searches = true;
    } else {
      searches = core_.get_up(me);
    }
  }
  async::helper::here() = nullptr;
  here_ = nullptr;
}

// ---- the pool

pool_core::pool_core(thread_pool_options options)
    : options_(std::move(options)),
      size_(options_.size ? options_.size : std::max(1u, std::thread::hardware_concurrency())) {
  if (options_.max_queued) places_.emplace(options_.max_queued);
}

pool_core::~pool_core() = default;

void pool_core::start() {
  for (std::size_t i = 0; i < size_; ++i) workers_.push_back(std::make_unique<worker>(*this, i));
  for (const auto& one : workers_) {
    one->start();
    const std::lock_guard lock(sleep_mutex_);
    ++started_threads_;
  }
}

void pool_core::end() {
  if (worker::here() && worker::here()->is_of(*this))
    throw std::logic_error("a quarq::thread_pool was destroyed by one of its own threads");
  if (places_) places_->close();
  if (options_.at_end == at_end::cancel) {
    cancelling_ = true;
    drop_all();
    for (const auto& one : workers_) one->stop_calls();
  }
  {
    const std::lock_guard lock(sleep_mutex_);
    ending_ = true;
  }
  wake_one();
  for (const auto& one : workers_) one->join();
  // A coroutine elsewhere may have come too late.
  drop_all();
}

void pool_core::drop_all() {
  std::vector<std::unique_ptr<threads::chunk>> all;
  all.push_back(from_outside_.close());
  for (const auto& one : workers_) all.push_back(one->queue.close());
  for (auto& chunks : all) {
    while (chunks) chunks = std::move(chunks->next);
  }
}

// ---- queues

void pool_core::post(posted&& f) {
  if (places_ && !places_->try_take()) {
    if (worker::here() && worker::here()->is_of(*this)) {
      const async::outside_of_loops outside;
      f();
      return;
    }
    places_->take();
  }
  push(std::move(f));
}

awaitable<void> pool_core::place_for(std::shared_ptr<thread_call> call) {
  call->holds_place = places_->try_take();
  const bool will_help = worker::here() && worker::here()->is_of(*this) && worker::here()->is_in_loop();
  if (call->holds_place || will_help) co_return;
  co_await places_->async_take();
  call->holds_place = true;
}

std::shared_ptr<std::atomic<std::size_t>> pool_core::submit(const std::shared_ptr<thread_call>& call) {
  const auto here = worker::here();
  const bool will_help = here && here->is_of(*this) && here->is_in_loop();
  if (will_help) here->will_help_with(call);
  // A thread of a full pool does it itself: if it waited for a place, all might wait.
  if (!will_help || !is_bounded() || call->holds_place) push(posted(call_task(call)));
  return here && here->is_in_loop() ? here->count_awaited() : nullptr;
}

void pool_core::push(posted&& f) {
  const auto here = worker::here();
  auto& queue = here && here->is_of(*this) ? here->queue : from_outside_;
  if (queue.push(std::move(f))) wake_if_asleep();
}

void pool_core::start(posted& f) {
  if (places_ && f.holds_place()) places_->give_back();
  f();
}

posted pool_core::find(worker& me) {
  if (++me.turn % outsides_turn == 0) {
    // Behind what it has, which may have come from outside before.
    auto several = from_outside_.pop_several();
    if (several && me.queue.push(std::move(several))) wake_if_asleep();
  }
  if (auto f = me.queue.pop()) return f;
  if (auto f = take(from_outside_, me)) return f;
  for (std::size_t i = 1; i < size_; ++i) {
    if (auto f = take(workers_[(me.index_ + i) % size_]->queue, me)) return f;
  }
  return {};
}

posted pool_core::take(threads::work_queue& from, worker& me) {
  std::unique_ptr<threads::chunk> rest;
  auto f = from.pop(rest);
  if (rest && me.queue.push(std::move(rest))) wake_if_asleep();
  return f;
}

bool pool_core::is_all_empty() {
  return from_outside_.is_empty() &&
         std::all_of(workers_.begin(), workers_.end(), [](const auto& one) { return one->queue.is_empty(); });
}

// ---- who sleeps

void pool_core::wake_if_asleep() noexcept {
  if (asleep_.load(std::memory_order_relaxed) > 0 && searching_.load(std::memory_order_relaxed) == 0)
    wake_one();
}

void pool_core::wake_one() noexcept {
  const std::lock_guard lock(sleep_mutex_);
  if (searching_.load(std::memory_order_relaxed) > 0) return;
  auto& list = threads_asleep_ ? threads_asleep_ : loops_asleep_;
  if (!list) return;
  auto& one = *list;
  list = one.next;
  one.lies = false;
  if (!one.loop) --idle_threads_;
  asleep_.fetch_sub(1, std::memory_order_relaxed);
  searching_.fetch_add(1, std::memory_order_relaxed);
  if (one.loop) {
    asio::post(*one.loop, [] {});
  } else {
    one.woken_up.notify_one();
  }
}

// The last thread that found nothing ended the pool, perhaps while this one was about to look once more: then
// nobody is listed any more. It does what it still finds, and leaves.
bool pool_core::is_over_for(const sleeper& one) const noexcept {
  return finished_ && !one.loop;
}

void pool_core::lie_down(sleeper& one) {
  const std::lock_guard lock(sleep_mutex_);
  if (is_over_for(one)) return;
  auto& list = one.loop ? loops_asleep_ : threads_asleep_;
  one.next = list;
  list = &one;
  one.lies = true;
  if (!one.loop) ++idle_threads_;
  asleep_.fetch_add(1, std::memory_order_relaxed);
}

// Whether somebody woke it: then it is one of those that search.
bool pool_core::get_up(sleeper& one) noexcept {
  const std::lock_guard lock(sleep_mutex_);
  if (is_over_for(one)) return false;
  if (!std::exchange(one.lies, false)) return true;
  auto* at = one.loop ? &loops_asleep_ : &threads_asleep_;
  while (*at != &one) at = &(*at)->next;
  *at = one.next;
  if (!one.loop) --idle_threads_;
  asleep_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

// Until it is woken, or, false, for ever.
bool pool_core::sleep(sleeper& one) {
  std::unique_lock lock(sleep_mutex_);
  if (ending_ && idle_threads_ == started_threads_) {
    // Nobody works, so that nobody can post any more.
    finished_ = true;
    asleep_ = 0;
    for (auto* other = std::exchange(threads_asleep_, nullptr); other; other = other->next)
      other->woken_up.notify_one();
  }
  one.woken_up.wait(lock, [&] { return !one.lies || finished_; });
  return !finished_;
}

void pool_core::stop_searching() {
  searching_.fetch_sub(1, std::memory_order_relaxed);
  // While it searched, nobody else was woken.
  if (!is_all_empty()) wake_if_asleep();
}

// ---- calls

void pool_core::execute(const std::shared_ptr<thread_call>& call) {
  if (!call->leave_queue(state::running)) return;
  const auto here = worker::here();
  here->core_.give_back_place(*call);
  here->execute(call);
  call->done->complete();
}

void pool_core::drop(const std::shared_ptr<thread_call>& call) noexcept {
  if (!call->leave_queue(state::dropped)) return;
  call->forget();
  call->done->complete();
}

void pool_core::cancel(thread_call& call) {
  if (call.leave_queue(state::cancelled)) {
    call.forget();
    give_back_place(call);
    call.done->complete();
  } else {
    call.request_stop();
  }
}

void pool_core::give_back_place(thread_call& call) {
  if (call.holds_place) places_->give_back();
}

}  // namespace quarq::detail
