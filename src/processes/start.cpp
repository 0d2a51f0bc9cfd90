#include "processes/start.hpp"

#include <utility>

#include "processes/function_id.hpp"

namespace quarq::processes {

void compose_call(ipc_channel& to, frame_kind kind, std::uint64_t number,
                  const detail::process_exchange& call, std::uint64_t memory_limit,
                  std::uint64_t retire_above) {
  std::string thunk, function;
  if (call.target.thunk != nullptr) {
    thunk = encode_function_id(reinterpret_cast<any_function>(call.target.thunk));
    if (call.target.function) function = encode_function_id(call.target.function);
  }
  call_head head;
  head.name = call.target.name;
  head.thunk = thunk;
  head.function = function;
  head.memory_limit = memory_limit;
  head.retire_above = retire_above;
  head.plain_result = call.plain_result;
  // A process for one function answers by its end alone.
  head.wants_notes = kind == frame_kind::call && call.on_note != nullptr;
  head.facts = call.facts;
  to.compose(kind, number, [&](encoder& out) {
    write_call_head(out, head);
    call.write(out);
  });
}

std::shared_ptr<child_process> start_function(const detail::process_exchange& call, std::string name,
                                              std::function<void(process_end)> on_end) {
  auto [ours, theirs] = make_socket_pair();
  const auto to = std::make_shared<ipc_channel>(std::move(ours));
  compose_call(*to, frame_kind::run, 1, call, call.memory_limit.value_or(0), 0);
  spawn_options options;
  options.name = std::move(name);
  options.socket = std::move(theirs);
  // The parent's end stays open as long as the child lives.
  options.on_end = [to, on_end = std::move(on_end)](process_end end) {
    if (on_end) on_end(end);
  };
  auto started = spawn(std::move(options));
  try {
    // It fits into the socket's buffer. If the child is dead already, on_end reports that.
    to->send(true);
  } catch (...) {
    started->kill();
    throw;
  }
  return started;
}

}  // namespace quarq::processes
