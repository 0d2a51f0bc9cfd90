#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <quarq/time.hpp>

#include "async/stack_depth.hpp"

namespace quarq {

namespace asio = boost::asio;

awaitable<void> detail::sleep(std::chrono::nanoseconds duration) {
  const auto loop = co_await asio::this_coro::executor;
  asio::steady_timer timer(loop, duration);
  auto wait = timer.async_wait(asio::deferred);
  co_await std::move(wait);
}

awaitable<void> detail::sleep_until_then(std::chrono::system_clock::time_point when) {
  const auto loop = co_await asio::this_coro::executor;
  asio::system_timer timer(loop, when);
  auto wait = timer.async_wait(asio::deferred);
  co_await std::move(wait);
}

awaitable<void> detail::limit(awaitable<void> work, std::chrono::nanoseconds max) {
  const auto loop = co_await asio::this_coro::executor;
  const bool begins_deep = async::stack_is_deep();
  if (begins_deep) co_await asio::post(loop, asio::use_awaitable);
  asio::steady_timer timer(loop, max);
  auto working = asio::co_spawn(loop, std::move(work), asio::deferred);
  auto waiting = timer.async_wait(asio::deferred);
  auto both = asio::experimental::make_parallel_group(std::move(working), std::move(waiting));
  auto [order, failure, timer_error] =
      co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  const bool ends_deep = async::stack_is_deep();
  if (ends_deep) {
    // A cancellation must not take the place of the result.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::post(loop, asio::use_awaitable);
    co_await asio::this_coro::throw_if_cancelled(throws);
  }
  if (!failure) co_return;
  // The timer ends without an error only by running out; otherwise the failure is the work's own, or the
  // caller's cancellation.
  const bool ran_out = order[0] == 1 && !timer_error;
  if (!ran_out) std::rethrow_exception(failure);
  throw timed_out(
      fmt::format("not done within {}", std::chrono::duration_cast<std::chrono::milliseconds>(max)));
}

}  // namespace quarq
