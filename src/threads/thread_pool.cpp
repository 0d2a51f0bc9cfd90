#include <atomic>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>
#include <quarq/thread_pool.hpp>

#include "async/completion.hpp"
#include "threads/thread_pool_impl.hpp"

namespace quarq {

namespace asio = boost::asio;

void detail::thread_call::perform() noexcept {
  try {
    work(stop_.get_token());
  } catch (...) {
    failure = std::current_exception();
  }
  forget();
  state_ = state::ended;
}

namespace threads {

using detail::thread_call;
using state = thread_call::state;

std::shared_ptr<thread_pool_impl> make_pool(thread_pool_options options) {
  auto pool = std::make_shared<thread_pool_impl>(std::move(options));
  try {
    pool->start();
  } catch (...) {
    pool->end();
    throw;
  }
  return pool;
}

std::size_t size_of(const thread_pool_impl& pool) noexcept {
  return pool.size();
}

void end_pool(const std::shared_ptr<thread_pool_impl>& pool) {
  if (pool->has_threads_here()) {
    pool->end();
  } else {
    // Objects of threads that do not exist can be neither joined nor destroyed.
    [[maybe_unused]] const auto* const kept = new std::shared_ptr(pool);
  }
}

void post(thread_pool_impl& pool, detail::unique_function f) {
  pool.post(std::move(f));
}

namespace {

// An awaited call. If the coroutine is destroyed while it waits, the call is cancelled.
class awaited_call {
 public:
  awaited_call(thread_pool_impl& pool, const std::shared_ptr<thread_call>& call)
      : pool_(pool), call_(*call), awaited_(pool.submit(call)) {}
  awaited_call(const awaited_call&) = delete;
  awaited_call& operator=(const awaited_call&) = delete;
  ~awaited_call() {
    if (!has_ended_) pool_.cancel(call_);
    if (awaited_) --*awaited_;
  }
  void has_ended() noexcept { has_ended_ = true; }

 private:
  thread_pool_impl& pool_;
  thread_call& call_;
  std::shared_ptr<std::atomic<std::size_t>> awaited_;
  bool has_ended_ = false;
};

void throw_failure(thread_call& call, bool was_cancelled) {
  if (call.current_state() == state::dropped) throw cancelled("the thread pool ended before the call began");
  const bool failed = call.failure != nullptr;
  if (was_cancelled && (failed || call.current_state() == state::cancelled)) {
    call.failure = nullptr;
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (failed && call.pool_ended) {
    call.failure = nullptr;
    throw cancelled("the thread pool ended while the call ran");
  }
  if (failed) std::rethrow_exception(std::exchange(call.failure, nullptr));
}

}  // namespace

awaitable<void> run_call(std::shared_ptr<thread_pool_impl> pool, std::shared_ptr<thread_call> call) {
  const auto loop = co_await asio::this_coro::executor;
  pool->require_threads();
  call->done = std::make_shared<async::completion>(loop);
  if (pool->is_bounded()) co_await pool->slot_for(call);
  awaited_call guard(*pool, call);
  std::function<void()> on_cancel = [to = pool.get(), one = call.get()] { to->cancel(*one); };
  const bool was_cancelled = co_await async::completion::wait(call->done, std::move(on_cancel));
  guard.has_ended();
  throw_failure(*call, was_cancelled);
}

}  // namespace threads
}  // namespace quarq
