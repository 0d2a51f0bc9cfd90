#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>
#include <quarq/thread_pool.hpp>

#include "async/handoff.hpp"
#include "threads/pool_core.hpp"

namespace quarq::detail {

namespace asio = boost::asio;
using state = thread_call::state;

std::shared_ptr<pool_core> make_pool(thread_pool_options options) {
  auto pool = std::make_shared<pool_core>(std::move(options));
  try {
    pool->start();
  } catch (...) {
    pool->end();
    throw;
  }
  return pool;
}

std::size_t size_of(const pool_core& pool) noexcept {
  return pool.size();
}

void end_pool(const std::shared_ptr<pool_core>& pool) {
  pool->end();
}

void post(pool_core& pool, posted f) {
  pool.post(std::move(f));
}

void thread_call::perform() noexcept {
  try {
    work(stop_.get_token());
  } catch (...) {
    failure = std::current_exception();
  }
  forget();
  state_ = state::ended;
}

namespace {

// Of a coroutine that is destroyed while it waits: nobody wants the value.
class unwanted {
 public:
  unwanted(pool_core& pool, thread_call& call) : pool_(pool), call_(call) {}
  unwanted(const unwanted&) = delete;
  unwanted& operator=(const unwanted&) = delete;
  ~unwanted() {
    if (!is_wanted_) pool_.cancel(call_);
  }
  void has_ended() noexcept { is_wanted_ = true; }

 private:
  pool_core& pool_;
  thread_call& call_;
  bool is_wanted_ = false;
};

void throw_failure(thread_call& call, bool was_cancelled) {
  if (call.where() == state::dropped) throw cancelled("the thread pool ended before the call began");
  const bool failed = call.failure != nullptr;
  if (was_cancelled && (failed || call.where() == state::cancelled)) {
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

awaitable<void> run_call(std::shared_ptr<pool_core> pool, std::shared_ptr<thread_call> call) {
  const auto loop = co_await asio::this_coro::executor;
  call->done = std::make_shared<async::handoff>(loop);
  if (pool->is_bounded()) co_await pool->place_for(call);
  unwanted guard(*pool, *call);
  pool->submit(call);
  std::function<void()> on_cancel = [to = pool.get(), one = call.get()] { to->cancel(*one); };
  const bool was_cancelled = co_await async::handoff::wait(call->done, std::move(on_cancel));
  guard.has_ended();
  throw_failure(*call, was_cancelled);
}

}  // namespace quarq::detail
