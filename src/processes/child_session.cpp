#include "processes/child_session.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <string>

#include <cxxabi.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <quarq/errors.hpp>

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

// A handler that does nothing, other than SIG_IGN, is not inherited by what the child starts itself.
void swallow(int signal) {
  struct sigaction action{};
  action.sa_handler = do_nothing;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

// Big values come and go with each call: the memory they had is kept, or it would be faulted in page by page
// each time.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
}

void set_up(std::string_view name) {
  prctl(PR_SET_NAME, std::string(name).c_str());
  swallow(SIGPIPE);
  // Ctrl-C goes to everybody at the terminal; the parent decides what becomes of its children.
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

// Neither static destructors nor atexit: what they end has begun in the parent as well, and is the parent's.
[[noreturn]] void leave(int code) {
  flush_all();
  _exit(code);
}

// ---- one call

/// The thunk or the handler by name. Throws quarq::error if it is not here.
class function_here {
 public:
  explicit function_here(const call_head& call) {
    if (!call.name.empty()) {
      by_name_ = find_handler(call.name);
      if (!by_name_)
        throw error("no process_handler for the task \"" + std::string(call.name) +
                    "\" is in the child: it must be an object at namespace scope");
      return;
    }
    thunk_ = reinterpret_cast<detail::process_thunk>(find_function(call.thunk));
    if (!call.function.empty()) function_ = find_function(call.function);
  }

  void operator()(decoder& arguments, encoder& result, context& facts) const {
    detail::process_invocation in{arguments, result, function_, facts};
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

/// What is being thrown, for the parent. `stage` is the reason if it is nothing special.
failure describe_current(failure_reason stage, memory_limit& limit) {
  // Words need memory.
  limit.lift();
  try {
    throw;
  } catch (const detail::bad_payload& e) {
    return {failure_reason::bad_arguments, "quarq::decode_error", e.what(), {}};
  } catch (const retry& e) {
    return {failure_reason::retry, base::type_name(typeid(e)), e.what(), e.delay()};
  } catch (const std::bad_alloc& e) {
    return {limit.is_set() ? failure_reason::memory_limit : stage, "std::bad_alloc", e.what(), {}};
  } catch (const std::exception& e) {
    return {stage, base::type_name(typeid(e)), e.what(), {}};
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return {stage, type ? base::type_name(*type) : "unknown", "unknown exception", {}};
  }
}

/// The life of a child.
class session {
 public:
  explicit session(base::unique_fd socket) : channel_(std::move(socket)) {}

  int serve() {
    channel_.compose(frame_kind::hello, [](encoder& out) { out.raw(hello_body(program_build_id())); });
    if (channel_.send(true) != ipc_channel::progress::done) return exit_failed;
    message from;
    for (bool first = true; channel_.receive(from, true) == ipc_channel::progress::done; first = false) {
      if (from.header.kind == frame_kind::run) return run_once(from);
      if (from.header.kind != frame_kind::call)
        throw decode_error("process frame: a child was sent an answer");
      // Service managers tell all processes to stop at once; the parent lets work end first, if it wants to.
      if (first) swallow(SIGTERM);
      answer(from);
      if (channel_.send(true) != ipc_channel::progress::done) return exit_failed;
    }
    return 0;
  }

 private:
  // Makes the frame that answers.
  void answer(message& from) {
    incoming beside(channel_.segment(), std::move(from.files));
    decoder in(from.body, "call", &beside);
    const call_head call = read_call_head(in);
    const auto failed = run(call, beside, from.body.substr(in.position()));
    if (failed) channel_.compose(frame_kind::failure, [&](encoder& out) { write_failure(out, *failed); });
    flush_all();
    const bool was_short = failed && failed->reason == failure_reason::memory_limit;
    const bool too_big = call.retire_above > 0 && resident_memory() > call.retire_above;
    if (was_short || too_big) channel_.add_flags(frame_flag::retire);
  }

  // Makes the frame with the result, or says why there is none.
  std::optional<failure> run(const call_head& call, incoming& beside, std::string_view encoded) {
    auto stage = failure_reason::not_found;
    memory_limit limit(call.memory_limit);
    try {
      const function_here function(call);
      stage = failure_reason::threw;
      const std::string what = call.facts.task.empty() ? "call" : call.facts.task;
      decoder arguments(encoded, what, &beside);
      context facts(nullptr, call.facts);
      if (!call.facts.task.empty()) facts.set_arguments(encoded);
      channel_.compose(frame_kind::value, [&](encoder& out) {
        if (!call.plain_result) return function(arguments, out, facts);
        std::string alone;
        encoder plain(alone);
        function(arguments, plain, facts);
        out.raw(alone);
      });
      return std::nullopt;
    } catch (...) {
      return describe_current(stage, limit);
    }
  }

  // A process for one function: its result is the exit code.
  int run_once(message& from) {
    incoming beside(channel_.segment(), std::move(from.files));
    decoder in(from.body, "call", &beside);
    const call_head call = read_call_head(in);
    memory_limit limit(call.memory_limit);
    try {
      const function_here function(call);
      decoder arguments(from.body.substr(in.position()), "call", &beside);
      context facts(nullptr, call.facts);
      std::string result;
      encoder out(result);
      function(arguments, out, facts);
      decoder code(result, "result");
      return code.try_nil() ? 0 : static_cast<int>(code.integer());
    } catch (...) {
      const failure what = describe_current(failure_reason::threw, limit);
      flush_all();
      std::fprintf(stderr, "%s: %s\n", what.type.c_str(), what.message.c_str());
      return exit_failed;
    }
  }

  ipc_channel channel_;
};

int child_main(std::string_view name) {
  set_up(name);
  try {
    session life{base::unique_fd(child_socket)};
    leave(life.serve());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "quarq: a child process of %s ends: %s\n", program_invocation_short_name, e.what());
    leave(exit_protocol);
  }
}

const bool registered = (set_child_main(&child_main), true);

}  // namespace

void need_child_main() noexcept {
  (void)registered;
}

}  // namespace quarq::processes
