// Functions of this program, run in other processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/map.hpp>
#include <quarq/memory.hpp>
#include <quarq/process_call.hpp>
#include <quarq/task.hpp>

namespace quarq {

class process_pool;

struct process_pool_options {
  /// The most children at once; 0: one per processor. Children are started when they are first needed, and
  /// then kept.
  std::size_t size = 0;
  /// Of the children, in lists of processes (at most 15 bytes are shown) and in error messages.
  std::string name = "quarq";
  /// Bytes that one call may take beyond what its child had before. Nothing: no limit. Not applied under the
  /// address and thread sanitizers.
  std::optional<std::uint64_t> memory_limit = std::nullopt;
  /// A child is replaced after so many calls; 0: never.
  std::size_t max_calls = 0;
  /// A child is replaced after a call that leaves it with more resident memory than this, shared memory not
  /// counted. Nothing: never.
  std::optional<std::uint64_t> max_memory = std::nullopt;
};

namespace processes {
class process_pool_impl;
}

namespace detail {

awaitable<void> exchange_with_process(std::shared_ptr<processes::process_pool_impl> pool, process_exchange& call);

template <class Exchange>
auto run_exchange(std::shared_ptr<processes::process_pool_impl> pool, Exchange call)
    -> awaitable<decltype(call.take())> {
  co_await exchange_with_process(std::move(pool), call);
  co_return call.take();
}

/// An argument that is given, as what travels.
template <class Stored, class Given>
Stored to_stored(Given&& given) {
  static_assert(
      fits<Given, Stored>,
      "quarq: an argument does not fit the parameter of the function that is to run in another process");
  if constexpr (fits<Given, Stored>) return static_cast<Stored>(std::forward<Given>(given));
}

template <class Tuple, std::size_t... I, class... Given>
Tuple to_stored_arguments(std::index_sequence<I...>, Given&&... given) {
  return Tuple{to_stored<std::tuple_element_t<I, Tuple>>(std::forward<Given>(given))...};
}

}  // namespace detail

/// Children that run plain functions and coroutine functions of this program, one call at a time each.
///
///     quarq::process_pool processes;
///     int n = co_await processes.run(count_words, url);
///
/// A child is the same program started anew: its static initialisers run, and nothing of main(). So it has
/// none of the parent's threads, connections and variables, and a pool may be made at any time. A function is
/// found by its place in the program; arguments and result travel through quarq::codec, big text and bytes
/// through shared memory.
///
/// run() throws
/// - call_failed if the function throws: type() and what() of that;
/// - worker_lost, with the signal or the exit code, if its process dies; others are not harmed, and it is
///   replaced at once;
/// - memory_limit_exceeded;
/// - boost::system::system_error (operation_aborted) if the caller is cancelled: the process is killed, and
///   replaced;
/// - cancelled if the pool is destroyed first;
/// - error if processes can't be started, and invalid_argument for arguments that can't be encoded.
///
/// Usable from any thread and any loop. The destructor kills the children and returns when they are gone.
/// Children die with the program, however it ends. They share its stdout and stderr, which are flushed after
/// each call; stdin is empty there. SIGINT and SIGTERM don't end them: the parent decides.
class process_pool : public detail::maps<process_pool> {
 public:
  /// Throws quarq::error if this program can't have children (it is linked statically).
  explicit process_pool(process_pool_options options = {});
  ~process_pool();
  process_pool(const process_pool&) = delete;
  process_pool& operator=(const process_pool&) = delete;

  /// Runs f(args...) in a child and returns its result, of a coroutine function what it yields. f is a
  /// function or a lambda without captures; it may take a quarq::context& (without state) or a
  /// std::stop_token (never asked to stop) first. If all children are busy, calls wait in their order.
  template <class F, class... Args>
    requires (!detail::is_task<F>)
  auto run(F f, Args&&... args) const {
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Args);
    static_assert(
        detail::process_function<F>,
        "quarq: a function for another process must be a function or a lambda without captures: pass what "
        "it needs as arguments");
    using arguments = typename detail::process_arguments<F, Args...>::type;
    static_assert(std::tuple_size_v<arguments> == sizeof...(Args),
                  "quarq: wrong number of arguments for this function");
    using traits = detail::process_result<F, arguments>;
    static_assert(
        traits::callable,
        "quarq: this function can't be called with these arguments in another process: parameters must "
        "be values or references to const");
    using result = typename traits::type;
    return start<result, arguments>(detail::process_target_of<result, arguments>(f),
                                    std::forward<Args>(args)...);
  }

  /// The same for the function that a process_handler has registered for this task.
  template <class R, class... P, class... Args>
  auto run(const task<R(P...)>& what, Args&&... args) const {
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Args);
    static_assert(sizeof...(Args) == sizeof...(P), "quarq: wrong number of arguments for this task");
    detail::process_target target;
    target.name = what.name();
    return start<typename task<R(P...)>::result_type, typename task<R(P...)>::arguments_type>(
        target, std::forward<Args>(args)...);
  }

  /// The same pool, with this limit for each call: `processes.memory_limit(64_MiB).run(f, x)`. Usable as long
  /// as the pool itself.
  process_pool memory_limit(std::uint64_t max) const { return process_pool(core_, max); }

  /// The most children at once.
  std::size_t size() const noexcept;
  /// The children that there are now.
  std::vector<int> pids() const;

  /// The max_concurrency of a map that sets none.
  std::size_t default_max_concurrency() const noexcept { return size(); }
  /// For the worker.
  const std::shared_ptr<processes::process_pool_impl>& core() const noexcept { return core_; }

 private:
  process_pool(std::shared_ptr<processes::process_pool_impl> core, std::uint64_t limit)
      : core_(std::move(core)), limit_(limit), owns_(false) {}

  template <class Result, class Arguments, class... Given>
  auto start(detail::process_target target, Given&&... given) const {
    using exchange = detail::typed_exchange<Result, Arguments>;
    exchange call(target, detail::to_stored_arguments<Arguments>(std::index_sequence_for<Given...>{},
                                                                 std::forward<Given>(given)...));
    call.memory_limit = limit_;
    return detail::run_exchange<exchange>(core_, std::move(call));
  }

  std::shared_ptr<processes::process_pool_impl> core_;
  std::optional<std::uint64_t> limit_;
  bool owns_ = true;
};

/// Registers f, at namespace scope, as what processes run for a task:
///
///     const quarq::process_handler on_processes(count_words, do_count_words);
///
/// It has to be in the parent and in the child, so it must not be made by main().
template <class Task, class F>
class process_handler;
template <class R, class... P, class F>
class process_handler<task<R(P...)>, F> {
 public:
  process_handler(const task<R(P...)>& what, F f) {
    using traits = detail::handler_of<task<R(P...)>, F>;
    if constexpr (traits::ok) {
      detail::register_process_handler(what.name(), [f](detail::process_invocation& in) mutable {
        detail::call_in_process<typename traits::result, typename traits::arguments>(f, in);
      });
    }
  }
};
template <class R, class... P, class F>
process_handler(const task<R(P...)>&, F) -> process_handler<task<R(P...)>, F>;

namespace detail {

/// One call with its types hidden, for the worker: arguments and result are msgpack.
awaitable<std::string> process_call(const process_pool& pool, process_target target, std::string arguments,
                                    std::optional<std::uint64_t> memory_limit,
                                    std::optional<job_facts> facts);

}  // namespace detail
}  // namespace quarq
