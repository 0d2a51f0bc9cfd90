#include "processes/child_session.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <mutex>
#include <new>
#include <optional>
#include <string>

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <quarq/detail/process_call.hpp>
#include <quarq/errors.hpp>

#include "base/eager_wait.hpp"
#include "base/text.hpp"
#include "processes/child_entry.hpp"
#include "processes/frames.hpp"
#include "processes/function_id.hpp"
#include "processes/ipc_channel.hpp"
#include "processes/memory_limit.hpp"
#include "processes/named_functions.hpp"

namespace quarq::processes {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_protocol = 70;

// ---- how a child is set up

void do_nothing(int) {}

// A handler that does nothing is, unlike SIG_IGN, not inherited by programs that the child starts.
void swallow(int signal) {
  struct sigaction action{};
  action.sa_handler = do_nothing;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

// Big values come and go with each call: their memory is kept, so that it is not faulted in page by page each
// time.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
}

void set_up(std::string_view name) {
  prctl(PR_SET_NAME, std::string(name).c_str());
  swallow(SIGPIPE);
  // Ctrl-C goes to every process at the terminal; the parent decides what its children do.
  swallow(SIGINT);
  keep_memory();
}

void flush_all() {
  try {
    std::cout.flush();
    std::clog.flush();
  } catch (...) {
  }
  std::fflush(nullptr);
}

// No static destructors and no atexit functions: what they end also exists in the parent, and belongs to it.
[[noreturn]] void leave(int code) {
  flush_all();
  _exit(code);
}

// ---- one call

/// The function of a call, in this process. Throws quarq::error if it is not here.
class called_function {
 public:
  explicit called_function(const call_head& call) {
    if (!call.thunk.empty()) {
      thunk_ = reinterpret_cast<detail::process_thunk>(find_function(call.thunk));
      if (!call.function.empty()) function_ = find_function(call.function);
      return;
    }
    by_name_ = find_named_function(call.name);
    if (!by_name_)
      throw error("no process_handler for the task \"" + std::string(call.name) +
                  "\" is in the child: it must be an object at namespace scope");
  }

  /// `encoded`: what `arguments` reads.
  void operator()(const call_head& call, std::string_view encoded, decoder& arguments, encoder& result,
                  detail::note_sender* notes) const {
    detail::process_invocation in{arguments, result, function_, encoded, call.facts, notes};
    if (by_name_) {
      (*by_name_)(in);
    } else {
      thunk_(in);
    }
  }

 private:
  const detail::process_function_by_name* by_name_ = nullptr;
  detail::process_thunk thunk_ = nullptr;
  any_function function_ = nullptr;
};

// what() of an exception of the user's may be null.
std::string text_of(const std::exception& e) {
  const char* const text = e.what();
  return text ? text : "";
}

// What messages about the arguments begin with.
std::string label_of(const call_head& call) {
  return call.name.empty() ? "call" : std::string(call.name);
}

/// The current exception, for the parent. `reason` is why, unless the exception has a reason of its own.
failure describe_current(failure_reason reason, memory_limit& limit) {
  // Describing it needs memory.
  limit.lift();
  try {
    throw;
  } catch (const detail::bad_payload& e) {
    return {failure_reason::bad_arguments, "quarq::decode_error", text_of(e), {}, e.errors};
  } catch (const retry_after& e) {
    return {failure_reason::retry, base::type_name(typeid(e)), text_of(e), e.delay()};
  } catch (const std::bad_alloc& e) {
    return {limit.is_set() ? failure_reason::memory_limit : reason, "std::bad_alloc", text_of(e), {}};
  } catch (const std::exception& e) {
    return {reason, base::type_name(typeid(e)), text_of(e), {}};
  } catch (...) {
    auto thrown = base::describe_thrown_object();
    return {reason, std::move(thrown.type), std::move(thrown.text), {}};
  }
}

// A called function may have forked, and the copy may have come back out of it, as after an exec that failed.
// Its answer would be taken for that of the child. What stdio holds was written by both, and is the child's.
void end_copy(pid_t child, const std::optional<failure>& failed) {
  if (getpid() == child) return;
  if (!failed) _exit(0);
  dprintf(2, "quarq: a process that a called function forked ends: %s: %s\n", failed->type.c_str(),
          failed->message.c_str());
  _exit(exit_failed);
}

/// Sends what a function says while its answer is being composed.
class running_notes final : public detail::note_sender {
 public:
  running_notes(const ipc_channel& over, std::uint64_t call) : over_(over), call_(call) {}

  void send_note(std::string_view note) override {
    // A copy that the function has forked has no part in the connection.
    if (note.size() > max_inline || getpid() != pid_) return;
    const std::lock_guard lock(mutex_);
    if (!is_over_) over_.send_beside(frame_kind::note, call_, note);
  }
  /// The answer is next, whatever threads the function has left behind.
  void end() {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }

 private:
  const ipc_channel& over_;
  const std::uint64_t call_;
  const pid_t pid_ = getpid();
  std::mutex mutex_;
  bool is_over_ = false;
};

/// The life of a child.
class session {
 public:
  explicit session(base::unique_fd socket) : channel_(std::move(socket)) {}

  int serve() {
    channel_.compose(frame_kind::hello, 0, [](encoder& out) { out.raw(hello_body(program_build_id())); });
    if (channel_.send(true) != ipc_channel::progress::done) return exit_failed;
    for (bool first = true; next_call(); first = false) {
      if (received_.header.kind == frame_kind::run) return run_once();
      if (received_.header.kind != frame_kind::call)
        throw decode_error("process frame: a child was sent an answer");
      // Service managers stop all processes at once; the parent may let work end first.
      if (first) swallow(SIGTERM);
      answer();
      if (channel_.send(true) != ipc_channel::progress::done) return end_unheard();
    }
    return end_unheard();
  }

  /// Tells the parent why this process ends, if it still listens.
  void explain(const std::string& why) noexcept {
    try {
      // It waits for nothing else but the answer to a call.
      if (received_.header.kind != frame_kind::call || channel_.is_half_sent()) return;
      const failure end{failure_reason::ends, {}, why, {}};
      channel_.compose(frame_kind::failure, number(), [&](encoder& out) { write_failure(out, end); });
      channel_.add_flags(frame_flag::retire);
      channel_.send(true);
    } catch (...) {
      // It learns of the end at least.
    }
  }

 private:
  // Nobody listens any more: the parent has closed the connection, or is gone.
  static int end_unheard() {
    if (fcntl(child_socket, F_GETFD) < 0)
      throw error("a called function has closed descriptor 3, the connection to the parent");
    return 0;
  }

  // False: the parent has closed the connection, or is gone.
  bool next_call() {
    auto received = ipc_channel::progress::blocked;
    const auto receive = [&](bool wait) {
      received = channel_.receive(received_, wait);
      return received != ipc_channel::progress::blocked;
    };
    calls_.wait([&] { return receive(false); }, [&] { receive(true); });
    return received == ipc_channel::progress::done;
  }

  std::uint64_t number() const noexcept { return received_.header.call; }

  // Composes the answer.
  void answer() {
    incoming attached(channel_.segment(), std::move(received_.files));
    decoder in(received_.body, "call", &attached);
    const call_head call = read_call_head(in);
    const auto failed = run(call, attached, received_.body.substr(in.position()));
    end_copy(pid_, failed);
    if (failed)
      channel_.compose(frame_kind::failure, number(), [&](encoder& out) { write_failure(out, *failed); });
    flush_all();
    const bool was_short = failed && failed->reason == failure_reason::memory_limit;
    const bool too_big = call.retire_above > 0 && resident_memory() > call.retire_above;
    if (was_short || too_big) channel_.add_flags(frame_flag::retire);
  }

  // Composes the frame with the result, or returns why there is none.
  std::optional<failure> run(const call_head& call, incoming& attached, std::string_view encoded) {
    auto reason = failure_reason::not_found;
    memory_limit limit(call.memory_limit);
    running_notes notes(channel_, number());
    try {
      const called_function function(call);
      reason = failure_reason::threw;
      const std::string label = label_of(call);
      decoder arguments(encoded, label, &attached);
      detail::note_sender* const listener = call.wants_notes ? &notes : nullptr;
      channel_.compose(frame_kind::value, number(), [&](encoder& out) {
        if (!call.plain_result) return function(call, encoded, arguments, out, listener);
        std::string alone;
        encoder plain(alone);
        function(call, encoded, arguments, plain, listener);
        out.raw(alone);
      });
      notes.end();
      return std::nullopt;
    } catch (...) {
      notes.end();
      return describe_current(reason, limit);
    }
  }

  // A process for one function: its result is the exit code.
  int run_once() {
    incoming attached(channel_.segment(), std::move(received_.files));
    decoder in(received_.body, "call", &attached);
    const call_head call = read_call_head(in);
    memory_limit limit(call.memory_limit);
    std::string result;
    std::optional<failure> failed;
    try {
      const called_function function(call);
      const std::string_view encoded = received_.body.substr(in.position());
      decoder arguments(encoded, "call", &attached);
      encoder out(result);
      function(call, encoded, arguments, out, nullptr);
    } catch (...) {
      failed = describe_current(failure_reason::threw, limit);
    }
    end_copy(pid_, failed);
    if (failed) {
      flush_all();
      std::fprintf(stderr, "%s: %s\n", failed->type.c_str(), failed->message.c_str());
      return exit_failed;
    }
    decoder code(result, "result");
    return code.try_nil() ? 0 : static_cast<int>(code.integer());
  }

  const pid_t pid_ = getpid();
  ipc_channel channel_;
  base::eager_wait<> calls_;
  message received_;  // the call
};

}  // namespace

void serve_parent(std::string_view name) {
  set_up(name);
  // Its destructor would close the socket: the parent is to see the end of the process, not only of that.
  session life{base::unique_fd(child_socket)};
  try {
    leave(life.serve());
  } catch (const std::exception& e) {
    const std::string why = text_of(e);
    std::fprintf(stderr, "quarq: a child process of %s ends: %s\n", program_invocation_short_name,
                 why.c_str());
    flush_all();
    life.explain(why);
    leave(exit_protocol);
  }
}

}  // namespace quarq::processes
