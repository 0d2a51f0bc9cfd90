// Functions of this program, run in other processes: a crash, a leak or a kill costs one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/detail/pool_call.hpp>
#include <quarq/detail/process_call.hpp>
#include <quarq/map.hpp>
#include <quarq/memory.hpp>

namespace quarq {

struct process_pool_options {
  /// How many children there are at most; 0: one per processor. A child is started when it is first needed,
  /// and then kept.
  std::size_t size = 0;
  /// The children's name in lists of processes (at most 15 bytes are shown) and in error messages.
  std::string name = "quarq";
  /// How many bytes one call may allocate beyond what its child had before. nullopt: no limit. Not applied
  /// under the address and thread sanitizers.
  std::optional<std::uint64_t> memory_limit = std::nullopt;
  /// A child is replaced after this many calls; 0: never.
  std::size_t max_calls = 0;
  /// A child is replaced after a call that leaves it with more resident memory than this, shared memory not
  /// counted. nullopt: never.
  std::optional<std::uint64_t> max_memory = std::nullopt;
};

/// Children that run plain functions and coroutine functions of this program, one call at a time each.
///
///     quarq::process_pool processes;
///     int n = co_await processes.run(count_words, url);
///
/// A child is the same program started anew: its static initialisers run, and nothing of main(). So it has
/// none of the parent's threads, connections and variables, and a pool may be made at any time. A function is
/// found by its address in the program; arguments and result travel through quarq::codec, big text and bytes
/// through shared memory.
///
/// Needs the library quarq::processes.
///
/// run() throws
/// - call_failed if the function throws, with its type() and what();
/// - worker_lost, with the signal, the exit code or the reason that the child gives, if its process dies; other
///   calls are not affected, and the child is replaced at once;
/// - memory_limit_exceeded;
/// - boost::system::system_error (operation_aborted) if the caller is cancelled: the process is killed and
///   replaced;
/// - cancelled if the pool is destroyed first;
/// - error if processes can't be started, and usage_error for arguments that can't be encoded;
/// - error in a copy of this program made by fork(): the children are the original's. There pids() throws as
///   well, and the destructor does nothing.
///
/// A program that drops privileges must do so before it starts children. It may not kill those that still have
/// them: a cancelled call runs on there, and the destructor does not wait for it.
///
/// Thread safety: any thread and any loop. The destructor kills the children and returns when they are gone.
/// Children die with the program, however it ends. They share its stdout and stderr, which are flushed after
/// each call; their stdin is empty. SIGINT and SIGTERM don't end them: the parent decides.
class process_pool : public detail::maps<process_pool> {
 public:
  /// Throws quarq::error if this program can't have children: see quarq::child_main.
  explicit process_pool(process_pool_options options = {});
  ~process_pool();
  process_pool(const process_pool&) = delete;
  process_pool& operator=(const process_pool&) = delete;

  /// Runs f(args...) in a child and returns its result; of a coroutine function, the value it yields. f is a
  /// function or a lambda without captures; it may take a std::stop_token (never asked to stop) first. If all
  /// children are busy, calls wait in FIFO order.
  template <class F, class... Args>
    requires (!detail::named_signature<F>)
  [[QUARQ_MUST_AWAIT]] auto run(F f, Args&&... args) const {
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Args);
    detail::check_process_call<F, Args...>();
    using arguments = typename detail::process_arguments<F, Args...>::type;
    using result = typename detail::process_result<F, arguments>::type;
    return start<result, arguments>(detail::process_target_of<result, arguments>(f),
                                    std::forward<Args>(args)...);
  }

  /// The same for the function that a process_handler (<quarq/process_handler.hpp>) has registered for this
  /// task.
  template <detail::named_signature Task, class... Args>
  [[QUARQ_MUST_AWAIT]] auto run(const Task& what, Args&&... args) const {
    QUARQ_REQUIRE_NAMED_ARGUMENTS(Args);
    using arguments = typename Task::arguments_type;
    static_assert(sizeof...(Args) == std::tuple_size_v<arguments>,
                  "quarq: wrong number of arguments for this task");
    detail::process_target target;
    target.name = what.name();
    return start<typename Task::result_type, arguments>(target, std::forward<Args>(args)...);
  }

  /// The same pool, with this limit for each call: `processes.with_memory_limit(64_MiB).run(f, x)`. Must not
  /// outlive the pool itself.
  process_pool with_memory_limit(std::uint64_t max) const { return process_pool(impl_, max); }

  /// How many children there are at most.
  std::size_t size() const noexcept;
  /// The children that exist now.
  std::vector<int> pids() const;

  /// The max_concurrency of a map that sets none.
  std::size_t default_max_concurrency() const noexcept { return size(); }

 private:
  process_pool(std::shared_ptr<processes::process_pool_impl> impl, std::uint64_t limit)
      : impl_(std::move(impl)), limit_(limit), owns_(false) {}

  template <class Result, class Arguments, class... Given>
  auto start(detail::process_target target, Given&&... given) const {
    using exchange = detail::typed_exchange<Result, Arguments>;
    exchange call(target, detail::to_stored_arguments<Arguments>(std::index_sequence_for<Given...>{},
                                                                 std::forward<Given>(given)...));
    call.memory_limit = limit_;
    return detail::run_exchange<exchange>(impl_, std::move(call));
  }

  std::shared_ptr<processes::process_pool_impl> impl_;
  std::optional<std::uint64_t> limit_;
  bool owns_ = true;
};

}  // namespace quarq
