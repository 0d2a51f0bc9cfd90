// One function in a process of its own, like Python's multiprocessing.Process.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/process_call.hpp>

namespace quarq {

/// Options of one process:
///     quarq::process p({.name = "index", .memory_limit = 512_MiB}, build_index, path);
struct process_options {
  /// Shown by ps and top. Empty: the program's name.
  std::string name = {};
  /// How many bytes the function may allocate; beyond that, its allocations throw std::bad_alloc. nullopt: no
  /// limit.
  std::optional<std::uint64_t> memory_limit = std::nullopt;
};

namespace detail {

/// A result that can be an exit code.
template <class R>
concept exit_result = std::is_void_v<R> || (std::integral<R> && !std::same_as<R, bool>);

}  // namespace detail

/// Runs one function in a process of its own, which is started at once: the same program started anew, which
/// runs its static initialisers and then this function, never main(). The function is a plain function, a
/// lambda without captures or a coroutine function; it returns void or an integer, its arguments travel by
/// their codecs, and its output goes where the parent's output goes.
///
///     int crawl(std::string site, quarq::joinable_queue<std::string> found);
///     quarq::process p(crawl, "example.org", found);
///     const int code = co_await p.join();
///
/// The exit code is what the function returned, as the system keeps it (its lowest 8 bits: 0 to 255); 0 for
/// void; 1 if it threw, after "type: message" was written to stderr; minus the signal's number if a signal
/// ended the process, such as -15 after terminate(), -9 after kill() and -11 after a crash.
///
/// The process dies with its parent, and with this object: the destructor kills it and waits until it is
/// gone. It leaves no zombie. A default-constructed or moved-from process is empty.
///
/// Thread safety: const members, from any thread. In a copy of this program made by fork() it belongs to the
/// original: join(), wait(), exit_code() and running() throw quarq::error there, the others do nothing. Needs
/// the library quarq::processes.
///
/// A program that drops privileges must do so before it starts processes. It may not kill those that still have
/// them: terminate() and kill() do nothing then, and the destructor does not wait.
class process {
 public:
  process() noexcept = default;

  /// Waits until the process has started, a millisecond or two. Throws quarq::error if it can't be started,
  /// and quarq::usage_error or what a codec throws for arguments that can't be encoded.
  template <class F, class... Args>
    requires (!std::same_as<std::remove_cvref_t<F>, process_options> &&
              !std::same_as<std::remove_cvref_t<F>, process>)
  explicit process(F&& f, Args&&... arguments)
      : process(process_options(), std::forward<F>(f), std::forward<Args>(arguments)...) {}

  template <class F, class... Args>
  explicit process(process_options options, F&& f, Args&&... arguments) {
    using function = std::decay_t<F>;
    using tuple = typename detail::process_arguments<function, Args...>::type;
    static_assert(detail::process_function<function>,
                  "quarq: a process runs a function or a lambda without captures: what it needs is passed as "
                  "arguments");
    static_assert(detail::process_result<function, tuple>::callable,
                  "quarq: this function can't be called with these arguments");
    if constexpr (detail::process_function<function>) {
      using result = typename detail::process_result<function, tuple>::type;
      static_assert(
          detail::exit_result<result>,
          "quarq: the function of a process returns void or an integer, its exit code; for other results "
          "use process_pool or joinable_queue");
      detail::typed_exchange<result, tuple> call(
          detail::process_target_of<result, tuple>(function(std::forward<F>(f))),
          tuple(std::forward<Args>(arguments)...));
      call.memory_limit = options.memory_limit;
      start(call, std::move(options.name));
    }
  }

  process(process&& other) noexcept = default;
  process& operator=(process&& other) noexcept;
  ~process();

  /// Waits for the end and returns the exit code; on any loop, from any number of coroutines. A cancelled
  /// wait ends at once and does not affect the process. Throws quarq::error if this object is empty. The
  /// object may be destroyed meanwhile.
  [[QUARQ_MUST_AWAIT]] awaitable<int> join() const;
  /// The same for threads.
  int wait() const;

  /// nullopt while it runs.
  std::optional<int> exit_code() const;
  bool running() const;
  /// Its process id; 0 if this object is empty. After its end the id may belong to another process.
  int pid() const noexcept;

  /// Sends SIGTERM, which ends it unless the function handles that signal. Does nothing after its end.
  void terminate() const noexcept;
  /// Sends SIGKILL. Does nothing after its end.
  void kill() const noexcept;

 private:
  class state;
  void start(const detail::process_exchange& call, std::string name);
  void end() noexcept;
  static awaitable<int> wait_for(std::shared_ptr<state> of);
  const std::shared_ptr<state>& require() const;
  bool is_ours() const noexcept;

  std::shared_ptr<state> state_;
};

}  // namespace quarq
