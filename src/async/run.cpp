#include <exception>
#include <stdexcept>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <quarq/run.hpp>

#include "async/idle_work_source.hpp"

namespace quarq {

namespace asio = boost::asio;

namespace {

// Set while run_loop runs on this thread.
thread_local bool in_loop = false;
thread_local async::idle_work_source* idle_work = nullptr;

struct in_loop_scope {
  in_loop_scope() { in_loop = true; }
  ~in_loop_scope() { in_loop = false; }
};

struct idle_work_scope {
  idle_work_scope() {
    if (idle_work) idle_work->loop_begins();
  }
  ~idle_work_scope() {
    if (idle_work) idle_work->loop_ends();
  }
};

void run_some(asio::io_context& loop) {
  if (!idle_work) {
    loop.run_one();
  } else if (loop.poll_one() == 0 && !idle_work->run_one()) {
    idle_work->wait(loop);
  }
}

}  // namespace

async::idle_work_source*& async::idle_work_source::here() noexcept {
  return idle_work;
}

async::allow_nested_run::allow_nested_run() noexcept : was_in_loop_(std::exchange(in_loop, false)) {}

async::allow_nested_run::~allow_nested_run() {
  in_loop = was_in_loop_;
}

void detail::run_loop(awaitable<void> main, std::stop_token stop) {
  if (in_loop) throw std::logic_error("quarq::run called from a coroutine: co_await it instead");
  const in_loop_scope in_this_loop;
  const idle_work_scope with_idle_work;
  asio::io_context loop(1);
  // poll_one() must not find the loop without work and stop it.
  const auto open = asio::make_work_guard(loop);
  asio::cancellation_signal cancel;
  bool ended = false;
  std::exception_ptr failure;
  const auto end = [&](std::exception_ptr e) {
    failure = std::move(e);
    ended = true;
  };
  asio::co_spawn(loop, std::move(main), asio::bind_cancellation_slot(cancel.slot(), end));
  {
    const std::stop_callback on_stop(
        stop, [&] { asio::post(loop, [&] { cancel.emit(asio::cancellation_type::terminal); }); });
    while (!ended) run_some(loop);
  }
  // Lets connections that the coroutine closed on its way out end in order.
  loop.poll();
  if (failure) std::rethrow_exception(std::move(failure));
}

}  // namespace quarq
