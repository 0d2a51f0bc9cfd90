#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>
#include <quarq/map.hpp>

#include "async/completion.hpp"
#include "async/stack_depth.hpp"
#include "base/assert.hpp"

namespace quarq::detail {

namespace asio = boost::asio;

namespace {

// How long elements that never wait may keep the loop from its timers and its other coroutines.
constexpr std::chrono::milliseconds max_turn(1);

std::size_t checked_concurrency(map_options options, std::size_t default_max) {
  if (options.max_concurrency == 0) throw usage_error("max_concurrency: expected at least 1, got 0");
  return options.max_concurrency.value_or(default_max);
}

// A multiple of 2^-20: sums and differences of these are exact, so that nothing is left when all have ended.
double fraction_of(std::uint64_t done, std::uint64_t total) {
  constexpr double parts = 1 << 20;
  if (total == 0) return 0;
  return std::floor(parts * static_cast<double>(std::min(done, total)) / static_cast<double>(total)) / parts;
}

}  // namespace

map_impl::map_impl(map_options options, std::size_t default_max_concurrency, std::optional<std::size_t> total,
                   progress_callback on_progress)
    : max_concurrency_(checked_concurrency(options, default_max_concurrency)),
      on_progress_(std::move(on_progress)) {
  progress_.total = total;
}

// Held by every worker, so that a cancellation signal outlives its coroutine, also when the loop is
// destroyed.
struct map_impl::worker_set {
  explicit worker_set(const asio::any_io_executor& l)
      : loop(l), all_ended(std::make_shared<async::completion>(l)) {}

  void start(const std::shared_ptr<worker_set>& self, awaitable<void> worker) {
    auto& stop = signals.emplace_back();
    ++running;
    asio::co_spawn(
        loop, std::move(worker),
        asio::bind_cancellation_slot(stop.slot(), [self](const std::exception_ptr& e) { self->ended(e); }));
  }

  void ended(const std::exception_ptr& failure) {
    QUARQ_ASSERT(running > 0);
    if (failure) fail(failure);
    if (--running == 0) all_ended->complete();
  }

  void fail(const std::exception_ptr& failure) {
    if (first_failure) return;
    first_failure = failure;
    cancel();
  }

  void cancel() {
    map->stopped_ = true;
    for (auto& one : signals) one.emit(asio::cancellation_type::terminal);
  }

  asio::any_io_executor loop;
  std::shared_ptr<async::completion> all_ended;
  std::shared_ptr<map_impl> map;
  std::deque<asio::cancellation_signal> signals;
  std::size_t running = 0;
  std::exception_ptr first_failure;
};

awaitable<void> map_impl::next_turn(map_impl* self) {
  const auto loop = co_await asio::this_coro::executor;
  co_await asio::post(loop, asio::use_awaitable);
  self->turn_ends_ = std::chrono::steady_clock::now() + max_turn;
}

awaitable<void> map_impl::run_workers(std::shared_ptr<map_impl> self) {
  const auto loop = co_await asio::this_coro::executor;
  const bool deep = async::stack_is_deep();
  if (deep) co_await asio::post(loop, asio::use_awaitable);
  self->started_ = std::chrono::steady_clock::now();
  self->turn_ends_ = self->started_ + max_turn;
  const auto workers = std::make_shared<worker_set>(loop);
  workers->map = self;
  try {
    while (workers->running < self->max_concurrency_) {
      auto worker = self->next_worker();
      if (!worker.valid()) break;
      workers->start(workers, std::move(worker));
    }
  } catch (...) {
    workers->fail(std::current_exception());
  }
  if (workers->running > 0) {
    // Workers run until their first wait while they are started, and may have cancelled the caller.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) workers->cancel();
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Weak, since the workers hold the completion.
    std::function<void()> on_cancel = [weak = std::weak_ptr(workers)] {
      if (const auto still = weak.lock()) still->cancel();
    };
    co_await async::completion::wait(workers->all_ended, std::move(on_cancel));
    co_await asio::this_coro::throw_if_cancelled(throws);
  }
  if (self->callback_failure_) std::rethrow_exception(self->callback_failure_);
  if (workers->first_failure) std::rethrow_exception(workers->first_failure);
  if (self->cut_short_) throw boost::system::system_error(asio::error::operation_aborted);
}

void map_impl::advance(double& fraction, std::uint64_t done, std::uint64_t total) {
  const auto now = fraction_of(done, total);
  if (now == fraction || callback_failure_) return;
  progress_.under_way += now - fraction;
  fraction = now;
  try {
    report();
  } catch (...) {
    callback_failure_ = std::current_exception();
    throw;
  }
}

void map_impl::count(bool failed) {
  ++progress_.done;
  if (failed) ++progress_.failed;
  report();
}

void map_impl::report() {
  if (!on_progress_ || callback_failure_) return;
  progress_.elapsed = std::chrono::steady_clock::now() - started_;
  try {
    on_progress_(progress_);
  } catch (...) {
    stop();
    throw;
  }
}

}  // namespace quarq::detail
