#include "rpc/running_call.hpp"

#include <algorithm>
#include <exception>
#include <stop_token>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/detail/context_access.hpp>
#include <quarq/detail/handler_in_process.hpp>
#include <quarq/errors.hpp>
#include <quarq/thread_pool.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "model/sent_note.hpp"
#include "processes/untyped_pool.hpp"
#include "rpc/notes_in_log.hpp"

namespace quarq::rpc {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

namespace {

using model::context_access;

// Shared by the coroutine that waits and the one that calls, which may outlive it.
struct running_call {
  running_call(call_request r, const context& base, call_places p, std::shared_ptr<const void> o,
               const asio::any_io_executor& loop)
      : owner(std::move(o)),
        how(*r.how),
        arguments(std::move(r.arguments)),
        places(p),
        cancel_timeout(r.cancel_timeout),
        ctx(&base, std::move(r.facts)),
        timer(loop) {
    context_access::set_arguments(ctx, arguments);
    context_access::set_notes(ctx, &notes_in_log());
  }

  std::shared_ptr<const void> owner;
  const quarq::detail::handler& how;
  std::string arguments;
  call_places places;
  milliseconds cancel_timeout;
  context ctx;
  asio::cancellation_signal cancel;
  std::optional<steady::time_point> ends_at;
  bool done = false;
  std::exception_ptr failure;
  std::string result;
  asio::steady_timer timer;  // its end, or that of waiting for it
};
using call_ptr = std::shared_ptr<running_call>;

bool has_expired(const context& ctx) {
  return ctx.deadline() && steady::now() >= *ctx.deadline();
}

// Also where it has waited for a thread.
void check_not_expired(const context& ctx) {
  if (has_expired(ctx)) throw timed_out(ctx.task() + " did not begin before its deadline");
}

// Cancelling it only requests a stop; the thread is waited for.
awaitable<std::string> call_on_thread(call_ptr c) {
  auto work = [c](std::stop_token stop) {
    const std::stop_callback forward(stop, [&c] { context_access::request_stop(c->ctx); });
    check_not_expired(c->ctx);
    return c->how.on_thread(c->ctx, c->arguments);
  };
  auto result = co_await c->places.threads->run(work);
  co_return result;
}

// Cancelling it kills the process.
awaitable<std::string> call_in_process(call_ptr c) {
  quarq::detail::process_target target = *c->how.in_process;
  target.name = c->ctx.task();
  quarq::processes::untyped_pool::note_listener listen = [c](std::string_view note) {
    model::pass_on(note, c->ctx);
  };
  auto call = c->places.processes->run(target, c->arguments, c->how.options.memory_limit,
                                       quarq::detail::pack_facts(c->ctx), listen);
  auto result = co_await std::move(call);
  co_return result;
}

awaitable<std::string> call_handler(call_ptr c) {
  check_not_expired(c->ctx);
  std::string result;
  if (c->how.on_thread) {
    result = co_await call_on_thread(c);
  } else if (c->how.in_process) {
    result = co_await call_in_process(c);
  } else {
    result = co_await c->how.on_loop(c->ctx, c->arguments);
  }
  co_return result;
}

void start(const call_ptr& c, const asio::any_io_executor& loop) {
  auto at_the_end = [c](const std::exception_ptr& e, std::string result) {
    c->done = true;
    c->failure = e;
    c->result = std::move(result);
    c->timer.cancel();
  };
  if (c->how.on_loop && !has_expired(c->ctx)) {
    // A coroutine less.
    asio::co_spawn(loop, c->how.on_loop(c->ctx, c->arguments),
                   asio::bind_cancellation_slot(c->cancel.slot(), std::move(at_the_end)));
  } else {
    asio::co_spawn(loop, call_handler(c),
                   asio::bind_cancellation_slot(c->cancel.slot(), std::move(at_the_end)));
  }
}

// False: the waiting coroutine was cancelled. It is over, too, when the limit has passed.
awaitable<bool> wait_until_done(call_ptr c, std::optional<steady::time_point> limit) {
  while (!c->done && !(limit && steady::now() >= *limit)) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return false;
    c->timer.expires_at(limit.value_or(steady::time_point::max()));
    auto waiting = c->timer.async_wait(asio::as_tuple(asio::deferred));
    co_await std::move(waiting);
  }
  co_return true;
}

// What takes too long goes on in the background.
awaitable<void> stop(call_ptr c) {
  context_access::request_stop(c->ctx);
  c->cancel.emit(asio::cancellation_type::terminal);
  co_await wait_until_done(c, steady::now() + c->cancel_timeout);
  if (c->done) co_return;
  base::log().warn("rpc: {} id={} was asked to stop {} ago and runs on", c->ctx.task(), c->ctx.id(),
                   base::human_duration(c->cancel_timeout));
}

std::optional<steady::time_point> end_of(const running_call& c) {
  auto end = c.ctx.deadline();
  if (const auto timeout = c.how.options.timeout) {
    const auto own = steady::now() + std::min(*timeout, milliseconds(std::chrono::hours(24 * 365)));
    end = std::min(end.value_or(own), own);
  }
  return end;
}

std::exception_ptr too_long(const running_call& c, steady::time_point began) {
  const auto limit = std::chrono::round<milliseconds>(*c.ends_at - began);
  return std::make_exception_ptr(timed_out(
      fmt::format("{} took longer than its limit of {}", c.ctx.task(), base::human_duration(limit))));
}

}  // namespace

awaitable<std::string> run_call(call_request what, const context& base, call_places places,
                                std::shared_ptr<const void> owner) {
  const auto loop = co_await asio::this_coro::executor;
  const auto c = std::make_shared<running_call>(std::move(what), base, places, std::move(owner), loop);
  const auto began = steady::now();
  c->ends_at = end_of(*c);
  start(c, loop);
  // A caller that was cancelled stays so, and waits for the handler's end all the same.
  co_await asio::this_coro::throw_if_cancelled(false);
  const bool goes_on = co_await wait_until_done(c, c->ends_at);
  const bool is_late = !c->done && goes_on;
  if (!c->done) {
    // A coroutine of its own is not cancelled.
    auto stopping = asio::co_spawn(
        loop, stop(c), asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
    co_await std::move(stopping);
  }
  co_await asio::this_coro::throw_if_cancelled(true);
  if (!goes_on) throw boost::system::system_error(asio::error::operation_aborted);
  if (c->done && !c->failure) co_return std::move(c->result);
  std::rethrow_exception(is_late ? too_long(*c, began) : c->failure);
}

}  // namespace quarq::rpc
