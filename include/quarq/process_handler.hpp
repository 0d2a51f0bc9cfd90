// What a process pool runs for a task.
#pragma once

#include <quarq/detail/handler_in_process.hpp>
#include <quarq/detail/process_call.hpp>
#include <quarq/handler.hpp>
#include <quarq/task.hpp>

namespace quarq {

/// Registers f, at namespace scope, as what process_pool::run(task, ...) runs:
///
///     const quarq::process_handler on_processes(count_words, do_count_words);
///
///     int n = co_await processes.run(count_words, url);
///
/// The object has to exist in the parent and in the child, so it must not be made by main(). f takes the
/// task's parameters, after an optional quarq::context& (without state) or std::stop_token; it may have
/// captures. Functions that run() is given directly may take a quarq::context& as well where this header is
/// included. What they say by context::log() and progress() is said by the job whose handler has called run(), on the
/// worker's loop; where there is none, it goes nowhere.
///
/// Needs the library quarq::processes.
template <class Task, class F>
class process_handler;
template <class R, class... P, class F>
class process_handler<task<R(P...)>, F> {
 public:
  process_handler(const task<R(P...)>& what, F f) {
    using traits = detail::handler_of<task<R(P...)>, F>;
    if constexpr (traits::ok) {
      detail::register_process_function(what.name(), [f](detail::process_invocation& in) mutable {
        detail::call_handler_in_process<typename traits::result, typename traits::arguments>(f, in);
      });
    }
  }
};
template <class R, class... P, class F>
process_handler(const task<R(P...)>&, F) -> process_handler<task<R(P...)>, F>;

}  // namespace quarq
