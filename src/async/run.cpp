#include <csignal>
#include <exception>
#include <stdexcept>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <quarq/errors.hpp>
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

bool async::is_in_run() noexcept {
  return in_loop;
}

async::allow_nested_run::allow_nested_run() noexcept : was_in_loop_(std::exchange(in_loop, false)) {}

async::allow_nested_run::~allow_nested_run() {
  in_loop = was_in_loop_;
}

namespace {

/// A loop and the one coroutine for whose sake it runs.
class program_loop {
 public:
  explicit program_loop(awaitable<void> main) {
    const auto end = [this](std::exception_ptr e) {
      failure_ = std::move(e);
      ended_ = true;
    };
    asio::co_spawn(loop_, std::move(main), asio::bind_cancellation_slot(cancel_.slot(), end));
  }

  asio::io_context& loop() noexcept { return loop_; }
  /// Cancels the coroutine. On the loop's thread.
  void cancel() { cancel_.emit(asio::cancellation_type::terminal); }
  void run() {
    while (!ended_) run_some(loop_);
  }
  /// Lets connections that the coroutine closed on its way out end in order. What it threw, if it did.
  std::exception_ptr end() {
    loop_.poll();
    return std::move(failure_);
  }

 private:
  asio::io_context loop_{1};
  // poll_one() must not find the loop without work and stop it.
  const asio::executor_work_guard<asio::io_context::executor_type> open_ = asio::make_work_guard(loop_);
  asio::cancellation_signal cancel_;
  bool ended_ = false;
  std::exception_ptr failure_;
};

void refuse_nested_run() {
  if (in_loop) throw std::logic_error("quarq::run called from a coroutine: co_await it instead");
}

}  // namespace

void detail::run_loop(awaitable<void> main, std::stop_token stop) {
  refuse_nested_run();
  const in_loop_scope in_this_loop;
  const idle_work_scope with_idle_work;
  program_loop program(std::move(main));
  {
    const std::stop_callback on_stop(stop, [&] { asio::post(program.loop(), [&] { program.cancel(); }); });
    program.run();
  }
  if (auto failure = program.end()) std::rethrow_exception(std::move(failure));
}

void detail::run_loop_until_signal(awaitable<void> main) {
  refuse_nested_run();
  const in_loop_scope in_this_loop;
  const idle_work_scope with_idle_work;
  program_loop program(std::move(main));
  int received = 0;
  asio::signal_set signals(program.loop(), SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& ec, int number) {
    if (ec) return;
    received = number;
    signals.clear();  // the next one does what it does without us
    program.cancel();
  });
  program.run();
  signals.cancel();
  auto failure = program.end();
  if (failure && received != 0) throw interrupted(received);
  if (failure) std::rethrow_exception(std::move(failure));
}

}  // namespace quarq
