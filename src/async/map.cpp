#include <deque>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>
#include <quarq/map.hpp>

#include "async/completion.hpp"

namespace quarq {

namespace asio = boost::asio;

map_options& map_options::at_once(std::size_t max) & {
  if (max == 0) throw invalid_argument("at_once: expected at least 1, got 0");
  most_ = max;
  return *this;
}

map_options at_once(std::size_t max) {
  return map_options().at_once(max);
}

namespace detail {

map_core::map_core(map_options options, std::size_t usual_at_once, std::optional<std::size_t> total)
    : options_(std::move(options)), at_once_(options_.max_concurrency().value_or(usual_at_once)) {
  so_far_.total = total;
}

// Held by every lane, so that a signal outlives the coroutine that hears it, also where the loop ends.
struct map_core::lanes {
  explicit lanes(const asio::any_io_executor& l) : loop(l), over(std::make_shared<async::completion>(l)) {}

  void start(const std::shared_ptr<lanes>& self, awaitable<void> lane) {
    auto& stop = signals.emplace_back();
    ++running;
    asio::co_spawn(
        loop, std::move(lane),
        asio::bind_cancellation_slot(stop.slot(), [self](const std::exception_ptr& e) { self->ended(e); }));
  }

  void ended(const std::exception_ptr& failure) {
    if (failure) fail(failure);
    if (--running == 0) over->complete();
  }

  void fail(const std::exception_ptr& failure) {
    if (first) return;
    first = failure;
    cancel();
  }

  void cancel() {
    work->stopped_ = true;
    for (auto& one : signals) one.emit(asio::cancellation_type::terminal);
  }

  asio::any_io_executor loop;
  std::shared_ptr<async::completion> over;
  std::shared_ptr<map_core> work;
  std::deque<asio::cancellation_signal> signals;
  std::size_t running = 0;
  std::exception_ptr first;
};

awaitable<void> map_core::run_lanes(std::shared_ptr<map_core> self) {
  const auto loop = co_await asio::this_coro::executor;
  self->started_ = std::chrono::steady_clock::now();
  const auto all = std::make_shared<lanes>(loop);
  all->work = self;
  try {
    while (all->running < self->at_once_) {
      auto lane = self->next_lane();
      if (!lane.valid()) break;
      all->start(all, std::move(lane));
    }
  } catch (...) {
    all->fail(std::current_exception());
  }
  if (all->running > 0) {
    // Lanes run until their first wait while they are started, and may have cancelled who awaits us.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) all->cancel();
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Weak: the completion must not hold what holds it.
    std::function<void()> on_cancel = [weak = std::weak_ptr(all)] {
      if (const auto still = weak.lock()) still->cancel();
    };
    co_await async::completion::wait(all->over, std::move(on_cancel));
    co_await asio::this_coro::throw_if_cancelled(throws);
  }
  if (all->first) std::rethrow_exception(all->first);
  if (self->cut_short_) throw boost::system::system_error(asio::error::operation_aborted);
}

void map_core::count(bool failed) {
  ++so_far_.done;
  if (failed) ++so_far_.failed;
  if (!options_.report()) return;
  so_far_.elapsed = std::chrono::steady_clock::now() - started_;
  try {
    options_.report()(so_far_);
  } catch (...) {
    stop();
    throw;
  }
}

}  // namespace detail
}  // namespace quarq
