// The handler of a task, run in another process: its context is made there, from the facts that travel along.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/context.hpp>
#include <quarq/detail/context_access.hpp>
#include <quarq/detail/handler.hpp>
#include <quarq/detail/notes_sink.hpp>
#include <quarq/detail/process_call.hpp>
#include <quarq/task.hpp>

namespace quarq::detail {

/// The facts of a job as one msgpack value: what process_exchange::facts carries to the child.
std::string pack_facts(const context& job);
/// Throws decode_error. Nothing gives the facts of no job.
job_facts unpack_facts(std::string_view packed);

/// Where a context in a child puts what its handler says: it goes to the parent.
class notes_to_parent final : public notes_sink {
 public:
  explicit notes_to_parent(note_sender* by) noexcept : by_(by) {}
  void log(const context& by, std::string_view text) override;
  void progress(const context& by, std::uint64_t done, std::uint64_t total) override;

 private:
  note_sender* by_;  // null: nobody listens
};

/// A function in a process may take a context first: it has the facts of the job, if it is one, and no state. What it
/// says of the job goes to the one who called it.
template <>
struct provided_parameter<context&> {
  static constexpr bool exists = true;
  explicit provided_parameter(const process_invocation& in)
      : notes_(in.notes), context_(nullptr, unpack_facts(in.facts)) {
    model::context_access::set_notes(context_, &notes_);
    if (!in.facts.empty()) model::context_access::set_arguments(context_, in.encoded_arguments);
  }
  context& get() noexcept { return context_; }

 private:
  notes_to_parent notes_;
  context context_;
};

template <class Result, class Tuple, class F>
void call_handler_in_process(F& f, process_invocation& in) {
  auto values = read_process_arguments<Tuple>(in.arguments);
  provided_parameter<context&> own(in);
  const auto call = [&]() -> decltype(auto) { return call_handler(f, own.get(), values); };
  write_process_result<Result>(in.result, call);
}

template <class F, class Result, class Tuple>
void handler_thunk_of(process_invocation& in) {
  auto f = process_function_of<F>(in);
  call_handler_in_process<Result, Tuple>(f, in);
}

/// What a child is to run for a job of this task; nullopt for a handler with captures.
template <class R, class... Args, class F>
std::optional<process_target> process_target_of_handler(const task<R(Args...)>&, const F& f) {
  using traits = handler_of<task<R(Args...)>, F>;
  if constexpr (process_function<F> && traits::ok) {
    return process_target_with(&handler_thunk_of<F, typename traits::result, typename traits::arguments>, f);
  } else {
    return std::nullopt;
  }
}

/// A handler for whatever level its options say.
template <class R, class... Args, class F>
handler make_handler_at_its_level(const task<R(Args...)>& what, F f, handler_options how) {
  std::optional<process_target> in_process;
  if (how.on == level::process) in_process = process_target_of_handler(what, f);
  auto made = make_handler(what, std::move(f), std::move(how));
  made.in_process = in_process;
  return made;
}

}  // namespace quarq::detail
