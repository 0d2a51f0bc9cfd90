// One function in a process of its own, as Python's multiprocessing.Process.
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

/// Options of one process, each said by its own function:
///     quarq::process p(quarq::process_options().name("index").memory_limit(512_MiB), build_index, path);
class process_options {
 public:
  /// Shown by ps and top. Default: the program's name.
  process_options& name(std::string value) {
    name_ = std::move(value);
    return *this;
  }
  /// How many bytes the function may allocate; beyond that, its allocations throw std::bad_alloc. Default: no
  /// limit.
  process_options& memory_limit(std::uint64_t max) {
    memory_limit_ = max;
    return *this;
  }

 private:
  friend class process;
  std::string name_;
  std::optional<std::uint64_t> memory_limit_;
};

namespace detail {

/// What can be an exit code.
template <class R>
concept exit_result = std::is_void_v<R> || (std::integral<R> && !std::same_as<R, bool>);

}  // namespace detail

/// Runs one function in a process of its own, which is started at once: the same program started anew, that
/// runs its static initialisers and then this function, never main(). The function is a plain function, a
/// lambda without captures or a coroutine function; it returns void or an integer, its arguments travel by
/// their codecs, and what it prints goes where the parent's output goes.
///
///     int crawl(std::string site, quarq::joinable_queue<std::string> found);
///     quarq::process p(crawl, "example.org", found);
///     const int code = co_await p.join();
///
/// The exit code is what the function returned, as the system keeps it (its lowest 8 bits: 0 to 255); 0 for
/// void; 1 if it threw, after "type: message" was written to stderr; minus the signal's number if one ended
/// it, such as -15 after terminate(), -9 after kill() and -11 after a crash.
///
/// The process dies with its parent, and with this object: the destructor kills it and waits until it is
/// gone. There is nothing left to reap, whatever happens. A moved-from process, and a default-constructed
/// one, is none.
///
/// const members are thread-safe beside each other. Not to be used in a process made by fork().
class process {
 public:
  process() noexcept = default;

  /// Waits until the process has started, a millisecond or two. Throws quarq::error if it can't be, and
  /// quarq::invalid_argument or what a codec throws for arguments that can't be encoded.
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
          "quarq: a process's function returns void or an integer, its exit code; for other results "
          "there are process_pool and joinable_queue");
      detail::typed_exchange<result, tuple> call(
          detail::process_target_of<result, tuple>(function(std::forward<F>(f))),
          tuple(std::forward<Args>(arguments)...));
      call.memory_limit = options.memory_limit_;
      start(call, std::move(options.name_));
    }
  }

  process(process&& other) noexcept = default;
  process& operator=(process&& other) noexcept;
  ~process();

  /// Waits for the end, on any loop, by any number of coroutines; gives the exit code. A cancelled wait ends
  /// at once and leaves the process as it is. Throws quarq::error if there is no process. The object may go
  /// meanwhile.
  awaitable<int> join() const;
  /// The same for threads.
  int wait() const;

  /// Nothing while it runs.
  std::optional<int> exit_code() const;
  bool running() const;
  /// Its number; 0 if there is no process. After its end the number may be that of another.
  int pid() const noexcept;

  /// SIGTERM, which ends it unless the function has arranged otherwise. Neither does anything after its end.
  void terminate() const noexcept;
  /// SIGKILL.
  void kill() const noexcept;

 private:
  class state;
  void start(const detail::process_exchange& call, std::string name);
  void end() noexcept;
  static awaitable<int> wait_for(std::shared_ptr<state> of);
  const std::shared_ptr<state>& require() const;

  std::shared_ptr<state> state_;
};

}  // namespace quarq
