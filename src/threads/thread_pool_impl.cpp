#include "threads/thread_pool_impl.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <pthread.h>

#include <quarq/errors.hpp>

#include "async/completion.hpp"
#include "base/assert.hpp"
#include "base/eager_wait.hpp"

namespace quarq::threads {

namespace asio = boost::asio;
using detail::thread_call;
using detail::unique_function;
using state = thread_call::state;

namespace {

// How deep loops may nest on a thread that runs other work while it waits for a pool.
constexpr std::size_t max_nested_help = 32;

// After this many pieces of work a thread takes external work, even if it has work of its own.
constexpr unsigned external_turn = 32;

}  // namespace

// Represents a call in a queue. Drops the call if it is destroyed uncalled.
struct thread_pool_impl::call_task {
  // A call releases its slot when it leaves state::queued, which may be before it leaves the queue.
  using exempt_from_limit = void;

  explicit call_task(std::shared_ptr<thread_call> one) : call(std::move(one)) {}
  call_task(call_task&& other) noexcept = default;
  call_task& operator=(call_task&&) = delete;
  ~call_task() {
    if (call) drop(call);
  }
  void operator()() { execute(std::exchange(call, nullptr)); }

  std::shared_ptr<thread_call> call;
};

struct thread_pool_impl::parked_worker {
  std::condition_variable woken_up;
  base::eager_wait<> wait;
  asio::io_context* loop = nullptr;  ///< null: a thread that has nothing else to do
  parked_worker* next = nullptr;
  std::atomic<bool> parked = false;  ///< changed under the mutex
};

class thread_pool_impl::worker final : public async::idle_work_source {
 public:
  worker(thread_pool_impl& pool, std::size_t index) : pool_(pool), index_(index) {}

  void start() {
    thread_ = std::thread([this] { run(); });
    const auto number = "-" + std::to_string(index_);
    const auto name = pool_.options_.name.substr(0, 15 - std::min<std::size_t>(15, number.size())) + number;
    pthread_setname_np(thread_.native_handle(), name.c_str());
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  static worker* here() noexcept { return here_; }
  bool is_of(const thread_pool_impl& pool) const noexcept { return &pool_ == &pool; }

  // ---- calls

  void execute(const std::shared_ptr<thread_call>& call) {
    {
      const std::lock_guard lock(calls_mutex_);
      calls_.push_back(call.get());
      // end() requests the stop of the calls it finds here.
      if (pool_.cancelling_) call->pool_ended = true;
    }
    if (call->pool_ended) call->request_stop();
    call->perform();
    const std::lock_guard lock(calls_mutex_);
    QUARQ_ASSERT(calls_.back() == call.get());
    calls_.pop_back();
  }
  void stop_calls() {
    const std::lock_guard lock(calls_mutex_);
    for (auto* const call : calls_) {
      call->pool_ended = true;
      call->request_stop();
    }
  }

  // ---- async::idle_work_source

  void loop_begins() override { loops_.emplace_back(); }
  void loop_ends() noexcept override { loops_.pop_back(); }
  bool is_in_loop() const noexcept { return !loops_.empty(); }
  void queue_here(const std::shared_ptr<thread_call>& call) { loops_.back().queued.push_back(call); }
  std::shared_ptr<std::atomic<std::size_t>> count_awaited() {
    ++*loops_.back().awaited;
    return loops_.back().awaited;
  }

  // A loop that waits for a timer or a socket must stay responsive. Only a loop that waits for work of a pool
  // helps, since that work may need this thread; of any pool, since pools may wait for each other.
  bool may_help() const noexcept { return *loops_.back().awaited > 0 && loops_.size() <= max_nested_help; }

  bool run_one() override {
    const async::allow_nested_run nested;
    auto& queued = loops_.back().queued;
    while (!queued.empty()) {
      const auto call = std::move(queued.front());
      queued.pop_front();
      if (call->current_state() != state::queued) continue;
      if (pool_.cancelling_) {
        thread_pool_impl::drop(call);
      } else {
        thread_pool_impl::execute(call);
      }
      return true;
    }
    if (!may_help()) return false;
    auto f = pool_.find(*this);
    if (!f) return false;
    pool_.start(f);
    return true;
  }

  void wait(asio::io_context& loop) override {
    if (!may_help()) {
      loop.run_one();
      return;
    }
    parked_worker me;
    me.loop = &loop;
    pool_.park(me);
    if (pool_.all_queues_empty()) loop.run_one();
    const bool spins = pool_.unpark(me);
    if (!spins) return;
    auto f = pool_.find(*this);
    pool_.stop_spinning();
    const async::allow_nested_run nested;
    if (f) pool_.start(f);
  }

  work_queue queue;
  unsigned turn = 0;

 private:
  void run();

  static inline thread_local worker* here_ = nullptr;
  thread_pool_impl& pool_;
  const std::size_t index_;
  std::thread thread_;
  struct loop_here {
    /// Calls to this pool that its coroutines wait for; some of them may have begun.
    std::deque<std::shared_ptr<thread_call>> queued;
    /// How many calls to pools its coroutines wait for. (A coroutine may outlive the loop that it began on.)
    std::shared_ptr<std::atomic<std::size_t>> awaited = std::make_shared<std::atomic<std::size_t>>(0);
  };
  /// The outermost first.
  std::deque<loop_here> loops_;
  std::mutex calls_mutex_;
  std::vector<thread_call*> calls_;

  friend class thread_pool_impl;
};

void thread_pool_impl::worker::run() {
  here_ = this;
  async::idle_work_source::here() = this;
  parked_worker me;
  bool spins = false;
  while (true) {
    auto f = pool_.find(*this);
    if (f) {
      if (std::exchange(spins, false)) pool_.stop_spinning();
      pool_.start(f);
      continue;
    }
    pool_.park(me);
    if (std::exchange(spins, false)) pool_.stop_spinning();
    if (pool_.all_queues_empty()) {
      if (!pool_.sleep(me)) break;
      spins = true;
    } else {
      spins = pool_.unpark(me);
    }
  }
  async::idle_work_source::here() = nullptr;
  here_ = nullptr;
}

// ---- the pool

thread_pool_impl::thread_pool_impl(thread_pool_options options)
    : options_(std::move(options)),
      size_(options_.size ? options_.size : std::max(1u, std::thread::hardware_concurrency())) {
  if (options_.max_queued) slots_.emplace(options_.max_queued);
}

thread_pool_impl::~thread_pool_impl() = default;

void thread_pool_impl::start() {
  for (std::size_t i = 0; i < size_; ++i) workers_.push_back(std::make_unique<worker>(*this, i));
  for (const auto& one : workers_) {
    one->start();
    const std::lock_guard lock(park_mutex_);
    ++started_threads_;
  }
}

void thread_pool_impl::end() {
  if (worker::here() && worker::here()->is_of(*this))
    throw std::logic_error("a quarq::thread_pool was destroyed by one of its own threads");
  if (slots_) slots_->close();
  if (options_.shutdown == shutdown::cancel) {
    cancelling_ = true;
    drop_all();
    for (const auto& one : workers_) one->stop_calls();
  }
  {
    const std::lock_guard lock(park_mutex_);
    ending_ = true;
  }
  wake_one();
  for (const auto& one : workers_) one->join();
  // A coroutine on another thread may have submitted its call too late.
  drop_all();
}

void thread_pool_impl::drop_all() {
  std::vector<std::unique_ptr<chunk>> all;
  all.push_back(external_.close());
  for (const auto& one : workers_) all.push_back(one->queue.close());
  for (auto& chunks : all) {
    while (chunks) chunks = std::move(chunks->next);
  }
}

// ---- queues

void thread_pool_impl::require_threads() const {
  if (has_threads_here()) return;
  throw error("the thread pool \"" + options_.name +
              "\" can't be used in a copy of its process that fork() made: make another one there");
}

void thread_pool_impl::post(unique_function&& f) {
  require_threads();
  if (slots_ && !slots_->try_acquire()) {
    if (worker::here() && worker::here()->is_of(*this)) {
      const async::allow_nested_run nested;
      f();
      return;
    }
    slots_->acquire();
  }
  push(std::move(f));
}

awaitable<void> thread_pool_impl::slot_for(std::shared_ptr<thread_call> call) {
  call->holds_slot = slots_->try_acquire();
  const bool runs_it_itself = worker::here() && worker::here()->is_of(*this) && worker::here()->is_in_loop();
  if (call->holds_slot || runs_it_itself) co_return;
  co_await slots_->async_acquire();
  call->holds_slot = true;
}

std::shared_ptr<std::atomic<std::size_t>> thread_pool_impl::submit(const std::shared_ptr<thread_call>& call) {
  const auto here = worker::here();
  const bool runs_it_itself = here && here->is_of(*this) && here->is_in_loop();
  if (runs_it_itself) here->queue_here(call);
  // A thread of a full pool runs the call itself: if it waited for a slot, all threads might wait.
  if (!runs_it_itself || !is_bounded() || call->holds_slot) push(unique_function(call_task(call)));
  return here && here->is_in_loop() ? here->count_awaited() : nullptr;
}

void thread_pool_impl::push(unique_function&& f) {
  const auto here = worker::here();
  auto& queue = here && here->is_of(*this) ? here->queue : external_;
  if (queue.push(std::move(f))) wake_if_parked();
}

void thread_pool_impl::start(unique_function& f) {
  if (slots_ && f.counts_against_limit()) slots_->release();
  f();
}

unique_function thread_pool_impl::find(worker& me) {
  if (++me.turn % external_turn == 0) {
    // Behind its own work, which may have been external before.
    auto several = external_.pop_several();
    if (several && me.queue.push(std::move(several))) wake_if_parked();
  }
  if (auto f = me.queue.pop()) return f;
  if (auto f = take(external_, me)) return f;
  for (std::size_t i = 1; i < size_; ++i) {
    if (auto f = take(workers_[(me.index_ + i) % size_]->queue, me)) return f;
  }
  return {};
}

unique_function thread_pool_impl::take(work_queue& from, worker& me) {
  std::unique_ptr<chunk> rest;
  auto f = from.pop(rest);
  if (rest && me.queue.push(std::move(rest))) wake_if_parked();
  return f;
}

bool thread_pool_impl::all_queues_empty() {
  return external_.is_empty() &&
         std::all_of(workers_.begin(), workers_.end(), [](const auto& one) { return one->queue.is_empty(); });
}

// ---- parking

void thread_pool_impl::wake_if_parked() noexcept {
  if (parked_count_.load(std::memory_order_relaxed) > 0 && spinning_.load(std::memory_order_relaxed) == 0)
    wake_one();
}

void thread_pool_impl::wake_one() noexcept {
  const std::lock_guard lock(park_mutex_);
  if (spinning_.load(std::memory_order_relaxed) > 0) return;
  auto& list = parked_threads_ ? parked_threads_ : parked_loops_;
  if (!list) return;
  auto& one = *list;
  QUARQ_ASSERT(one.parked);
  list = one.next;
  one.parked = false;
  if (!one.loop) --idle_threads_;
  parked_count_.fetch_sub(1, std::memory_order_relaxed);
  spinning_.fetch_add(1, std::memory_order_relaxed);
  if (one.loop) {
    asio::post(*one.loop, [] {});
  } else {
    one.woken_up.notify_one();
  }
}

// The last thread that found no work finishes the pool, perhaps while this one is about to look once more:
// then the list of parked threads is empty. This one does the work that it still finds, and leaves.
bool thread_pool_impl::is_over_for(const parked_worker& one) const noexcept {
  return finished_ && !one.loop;
}

void thread_pool_impl::park(parked_worker& one) {
  const std::lock_guard lock(park_mutex_);
  if (is_over_for(one)) return;
  QUARQ_ASSERT(!one.parked);
  auto& list = one.loop ? parked_loops_ : parked_threads_;
  one.next = list;
  list = &one;
  one.parked = true;
  if (!one.loop) ++idle_threads_;
  QUARQ_ASSERT(idle_threads_ <= size_);
  parked_count_.fetch_add(1, std::memory_order_relaxed);
}

// Returns whether another thread has woken this one: then it counts as spinning.
bool thread_pool_impl::unpark(parked_worker& one) noexcept {
  const std::lock_guard lock(park_mutex_);
  if (is_over_for(one)) return false;
  if (!one.parked.exchange(false)) return true;
  auto* at = one.loop ? &parked_loops_ : &parked_threads_;
  while (*at != &one) at = &(*at)->next;
  *at = one.next;
  if (!one.loop) --idle_threads_;
  parked_count_.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

// Returns when it is woken; returns false if the pool has finished.
bool thread_pool_impl::sleep(parked_worker& one) {
  std::unique_lock lock(park_mutex_);
  if (ending_ && idle_threads_ == started_threads_) {
    // No thread works, so nothing can post any more.
    finished_ = true;
    parked_count_ = 0;
    for (auto* other = std::exchange(parked_threads_, nullptr); other; other = other->next)
      other->woken_up.notify_one();
  }
  if (finished_) return false;
  lock.unlock();
  const auto is_woken = [&] { return !one.parked.load(std::memory_order_acquire); };
  const auto sleep = [&] {
    lock.lock();
    one.woken_up.wait(lock, [&] { return is_woken() || finished_; });
  };
  one.wait.wait(is_woken, sleep);
  // A pool with a woken thread has not finished.
  return is_woken();
}

void thread_pool_impl::stop_spinning() {
  [[maybe_unused]] const auto spinning = spinning_.fetch_sub(1, std::memory_order_relaxed);
  QUARQ_ASSERT(spinning > 0);
  // While it was spinning, no other thread was woken.
  if (!all_queues_empty()) wake_if_parked();
}

// ---- calls

void thread_pool_impl::execute(const std::shared_ptr<thread_call>& call) {
  if (!call->leave_queue(state::running)) return;
  const auto here = worker::here();
  here->pool_.release_slot(*call);
  here->execute(call);
  call->done->complete();
}

void thread_pool_impl::drop(const std::shared_ptr<thread_call>& call) noexcept {
  if (!call->leave_queue(state::dropped)) return;
  call->forget();
  call->done->complete();
}

void thread_pool_impl::cancel(thread_call& call) {
  if (!has_threads_here()) return;
  if (call.leave_queue(state::cancelled)) {
    call.forget();
    release_slot(call);
    call.done->complete();
  } else {
    call.request_stop();
  }
}

void thread_pool_impl::release_slot(thread_call& call) {
  if (call.holds_slot) slots_->release();
}

}  // namespace quarq::threads
