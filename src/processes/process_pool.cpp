#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>
#include <quarq/process_pool.hpp>

#include "async/activity.hpp"
#include "model/current_job.hpp"
#include "model/sent_note.hpp"
#include "processes/process_pool_impl.hpp"
#include "processes/start.hpp"

namespace quarq {

namespace asio = boost::asio;

namespace {

using processes::ipc_channel;
using processes::pool_child;
using processes::process_pool_impl;

// A child that has closed its socket may be about to end by itself, and to say why.
constexpr std::chrono::seconds silent_child_timeout(1);

// A call gives up when so many children in a row have died before they could begin it.
constexpr int max_beginnings = 3;

// After so many calls in a row that were answered without waiting, the loop does its other work first.
constexpr unsigned max_inline_answers = 16;
// And after so many notes of a call.
constexpr unsigned max_notes_at_once = 16;
thread_local unsigned inline_answers = 0;

/// A child in use. It is killed unless it is given back: also when the loop, and with it the coroutine, is
/// destroyed.
class lease {
 public:
  lease(std::shared_ptr<process_pool_impl> pool, std::shared_ptr<pool_child> one)
      : pool_(std::move(pool)), one_(std::move(one)) {}
  ~lease() {
    if (one_) pool_->discard(one_);
  }
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;

  const process_pool_impl& pool() const noexcept { return *pool_; }
  const std::shared_ptr<pool_child>& one() const noexcept { return one_; }
  ipc_channel& connection() const noexcept { return one_->connection; }
  void give_back(bool retire) noexcept { pool_->give_back(std::exchange(one_, nullptr), retire); }

 private:
  std::shared_ptr<process_pool_impl> pool_;
  std::shared_ptr<pool_child> one_;
};

std::string name_of(const process_pool_impl& pool, const pool_child& one) {
  return "process " + std::to_string(one.process->pid()) + " of the pool \"" + pool.options().name + '"';
}

/// The child's socket, registered with this loop for the time of a call.
class borrowed_socket {
 public:
  borrowed_socket(const asio::any_io_executor& loop, int socket) : socket_(loop, socket) {}
  ~borrowed_socket() { socket_.release(); }
  borrowed_socket(const borrowed_socket&) = delete;
  borrowed_socket& operator=(const borrowed_socket&) = delete;
  asio::posix::stream_descriptor& operator*() noexcept { return socket_; }

 private:
  asio::posix::stream_descriptor socket_;
};

awaitable<std::shared_ptr<pool_child>> wait_for_child(std::shared_ptr<process_pool_impl> pool) {
  const auto loop = co_await asio::this_coro::executor;
  process_pool_impl::wait_ticket ticket(std::move(pool), loop);
  const std::function<void()> leave = [&ticket] { ticket.leave(); };
  const bool was_cancelled = co_await async::completion::wait(ticket.event(), leave);
  if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  co_return ticket.take();
}

// Returns when the child has ended. It may have closed only its socket: then it is killed.
awaitable<void> wait_for_end(std::shared_ptr<process_pool_impl> pool, std::shared_ptr<pool_child> one) {
  const auto loop = co_await asio::this_coro::executor;
  const auto event = std::make_shared<async::completion>(loop);
  if (!pool->notify_at_end(one, event)) co_return;
  const std::function<void()> kill = [pool, one] { pool->kill_silent(one); };
  asio::steady_timer timer(loop, silent_child_timeout);
  timer.async_wait([kill](const boost::system::error_code& stopped) {
    if (!stopped) kill();
  });
  co_await async::completion::wait(event, kill);
}

void throw_if_closed(const process_pool_impl& pool) {
  if (pool.is_closed()) throw cancelled("the process pool \"" + pool.options().name + "\" was destroyed");
}

// Throws worker_lost with the reason, after the socket of a child was closed.
awaitable<void> throw_lost(std::shared_ptr<process_pool_impl> pool, std::shared_ptr<pool_child> one) {
  throw_if_closed(*pool);
  co_await wait_for_end(pool, one);
  pool->require_owner();
  throw_if_closed(*pool);
  throw worker_lost(name_of(*pool, *one) + ' ' + pool->end_of(one) + " in mid-call");
}

std::string memory_text(std::uint64_t bytes) {
  if (bytes > 0 && bytes % (1 << 20) == 0) return std::to_string(bytes >> 20) + " MiB";
  if (bytes > 0 && bytes % (1 << 10) == 0) return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes) + " bytes";
}

// `child` names it.
[[noreturn]] void throw_failure(const processes::failure& what, std::uint64_t memory_limit,
                                const std::string& child) {
  switch (what.reason) {
    case processes::failure_reason::threw:
      throw call_failed(what.type, what.message);
    case processes::failure_reason::retry:
      throw retry_after(what.delay, what.message);
    case processes::failure_reason::bad_arguments: {
      detail::bad_payload refused(what.message);
      refused.errors = what.errors;
      throw refused;
    }
    case processes::failure_reason::memory_limit:
      throw memory_limit_exceeded("the call needed more than its memory limit of " +
                                  memory_text(memory_limit));
    case processes::failure_reason::ends:
      throw worker_lost(child + " ended in mid-call: " + what.message);
    default:
      throw error(what.message);
  }
}

// The rest of the stream would be as wrong: the child is not used again.
void refuse_other_answers(const process_pool_impl& pool, const pool_child& one,
                          const processes::message& answer) {
  const std::uint64_t number = one.last_call;
  if (answer.header.call == number) return;
  throw decode_error("process frame: " + name_of(pool, one) + " answered call " +
                     std::to_string(answer.header.call) + " instead of call " + std::to_string(number) +
                     ": something else wrote to its descriptor 3");
}

// Reads the answer, if it has arrived, and passes on what the function says before. When there is much of that, what
// has been read already is passed on, and the loop does its other work before more is read.
ipc_channel::progress receive_answer(lease& held, processes::message& answer,
                                     const detail::process_exchange& call) {
  for (unsigned notes = 0;; ++notes) {
    auto received = ipc_channel::progress::blocked;
    if (notes < max_notes_at_once) {
      received = held.connection().receive(answer, false);
    } else if (held.connection().receive_arrived(answer)) {
      received = ipc_channel::progress::done;
    }
    const bool is_note =
        received == ipc_channel::progress::done && answer.header.kind == processes::frame_kind::note;
    if (!is_note) return received;
    refuse_other_answers(held.pool(), *held.one(), answer);
    if (call.on_note) call.on_note(answer.body);
  }
}

// What a function says that was called for a job is said by the job.
void listen_for_job(detail::process_exchange& call, const asio::any_io_executor& loop) {
  if (call.on_note) return;
  const auto activity = async::activity_of(loop);
  if (model::find_job(activity) == nullptr) return;
  call.on_note = [activity](std::string_view note) {
    if (const auto* const job = model::find_job(activity)) model::pass_on(note, job->ctx);
  };
}

// Reads the answer and gives the child back.
void read_answer(lease& held, processes::message& answer, detail::process_exchange& call,
                 std::uint64_t memory_limit) {
  refuse_other_answers(held.pool(), *held.one(), answer);
  const bool retire = (answer.header.flags & processes::frame_flag::retire) != 0;
  struct give_back {
    ~give_back() { held.give_back(retire); }
    lease& held;
    bool retire;
  };
  processes::incoming attached(held.connection().segment(), std::move(answer.files));
  decoder in(answer.body, "result of a process", &attached);
  if (answer.header.kind == processes::frame_kind::value) {
    const give_back at_end{held, retire};
    call.read(in);
  } else if (answer.header.kind == processes::frame_kind::failure) {
    const auto what = processes::read_failure(in);
    const std::string child = name_of(held.pool(), *held.one());
    held.give_back(retire);
    throw_failure(what, memory_limit, child);
  } else {
    throw decode_error("process frame: a child answered with a frame that is no answer");
  }
}

void compose(lease& held, const detail::process_exchange& call, std::uint64_t memory_limit,
             std::uint64_t retire_above) {
  try {
    compose_call(held.connection(), processes::frame_kind::call, ++held.one()->last_call, call, memory_limit,
                 retire_above);
  } catch (...) {
    // The arguments can't be encoded: the child has received nothing.
    held.give_back(false);
    throw;
  }
}

}  // namespace

awaitable<void> detail::exchange_with_process(std::shared_ptr<processes::process_pool_impl> pool,
                                              process_exchange& call) {
  const auto loop = co_await asio::this_coro::executor;
  pool->require_owner();
  listen_for_job(call, loop);
  const std::uint64_t limit = call.memory_limit.value_or(pool->options().memory_limit.value_or(0));
  const std::uint64_t retire_above = pool->options().max_memory.value_or(0);
  if (inline_answers >= max_inline_answers) {
    inline_answers = 0;
    co_await asio::post(loop, asio::use_awaitable);
  }
  for (int beginning = 1;; ++beginning) {
    auto one = pool->try_take();
    if (!one) one = co_await wait_for_child(pool);
    pool->require_owner();
    lease held(pool, std::move(one));
    compose(held, call, limit, retire_above);
    auto sent = held.connection().send(false);
    if (sent == ipc_channel::progress::broken && beginning < max_beginnings) continue;
    if (sent == ipc_channel::progress::broken) co_await throw_lost(pool, held.one());

    processes::message answer;
    auto received = ipc_channel::progress::blocked;
    // If the kernel ran the child on this processor at once, it may have answered already.
    if (sent == ipc_channel::progress::done) received = receive_answer(held, answer, call);
    if (received == ipc_channel::progress::done) ++inline_answers;
    if (received == ipc_channel::progress::blocked) {
      inline_answers = 0;
      // Unregistered before another call can get the child.
      borrowed_socket socket(loop, held.connection().socket());
      while (sent == ipc_channel::progress::blocked) {
        co_await (*socket).async_wait(asio::posix::stream_descriptor::wait_write, asio::use_awaitable);
        pool->require_owner();
        sent = held.connection().send(false);
      }
      while (received == ipc_channel::progress::blocked) {
        co_await (*socket).async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        pool->require_owner();
        received = receive_answer(held, answer, call);
      }
    }
    if (received == ipc_channel::progress::broken) co_await throw_lost(pool, held.one());
    read_answer(held, answer, call, limit);
    co_return;
  }
}

// ---- process_pool

process_pool::process_pool(process_pool_options options)
    : impl_(std::make_shared<process_pool_impl>(std::move(options))) {}

process_pool::~process_pool() {
  if (owns_) impl_->close();
}

std::size_t process_pool::size() const noexcept {
  return impl_->options().size;
}

std::vector<pid_t> process_pool::pids() const {
  return impl_->pids();
}

}  // namespace quarq
