// The parent's side of a call: composing it, and starting a process for a single call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <quarq/detail/process_call.hpp>

#include "processes/ipc_channel.hpp"
#include "processes/supervisor.hpp"

namespace quarq::processes {

/// Composes the frame of a call, with this number. Throws what writing the arguments throws, and quarq::error for a function
/// that is not part of the program.
void compose_call(ipc_channel& to, frame_kind kind, std::uint64_t number,
                  const detail::process_exchange& call, std::uint64_t memory_limit,
                  std::uint64_t retire_above);

/// Starts a process for this one function. It exits with what the function returns (an integer; void: 0), or
/// with 1 after writing "type: message" of the exception to stderr. Waits until it has started, a millisecond
/// or two. Throws as compose_call and spawn do. `on_end`: as in spawn_options.
std::shared_ptr<child_process> start_function(const detail::process_exchange& call, std::string name,
                                              std::function<void(process_end)> on_end);

}  // namespace quarq::processes
