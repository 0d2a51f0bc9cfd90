#include <exception>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <quarq/run.hpp>

namespace quarq::detail {
namespace {

// Set while run_loop runs on this thread.
thread_local bool in_loop = false;

struct loop_mark {
  loop_mark() { in_loop = true; }
  ~loop_mark() { in_loop = false; }
};

}  // namespace

void run_loop(awaitable<void> main) {
  if (in_loop) throw std::logic_error("quarq::run called from a coroutine: co_await it instead");
  const loop_mark mark;
  boost::asio::io_context loop(1);
  bool ended = false;
  std::exception_ptr failure;
  boost::asio::co_spawn(loop, std::move(main), [&](std::exception_ptr e) {
    failure = e;
    ended = true;
  });
  while (!ended) loop.run_one();
  // Lets what the coroutine closed on its way out (connections) end in order.
  loop.poll();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace quarq::detail
