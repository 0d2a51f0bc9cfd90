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

#include "async/helper.hpp"

namespace quarq {

namespace asio = boost::asio;

namespace {

// Set while run_loop runs on this thread.
thread_local bool in_loop = false;
thread_local async::helper* helper_here = nullptr;

struct loop_mark {
  loop_mark() { in_loop = true; }
  ~loop_mark() { in_loop = false; }
};

struct helper_mark {
  helper_mark() {
    if (helper_here) helper_here->enter();
  }
  ~helper_mark() {
    if (helper_here) helper_here->leave();
  }
};

void run_some(asio::io_context& loop) {
  if (!helper_here) {
    loop.run_one();
  } else if (loop.poll_one() == 0 && !helper_here->help()) {
    helper_here->wait(loop);
  }
}

}  // namespace

async::helper*& async::helper::here() noexcept {
  return helper_here;
}

async::outside_of_loops::outside_of_loops() noexcept : was_in_loop_(std::exchange(in_loop, false)) {}

async::outside_of_loops::~outside_of_loops() {
  in_loop = was_in_loop_;
}

void detail::run_loop(awaitable<void> main, std::stop_token stop) {
  if (in_loop) throw std::logic_error("quarq::run called from a coroutine: co_await it instead");
  const loop_mark mark;
  const helper_mark helping;
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
  // Lets what the coroutine closed on its way out (connections) end in order.
  loop.poll();
  if (failure) std::rethrow_exception(std::move(failure));
}

}  // namespace quarq
