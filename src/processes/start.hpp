// The parent's side of a call: how it is written, and a process for one call alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <quarq/detail/process_call.hpp>

#include "processes/ipc_channel.hpp"
#include "processes/supervisor.hpp"

namespace quarq::processes {

/// Makes the frame of a call. Throws what writing the arguments throws, and quarq::error for a function that
/// is no part of the program.
void compose_call(ipc_channel& to, frame_kind kind, const detail::process_exchange& call,
                  std::uint64_t memory_limit, std::uint64_t retire_above);

/// A process for this one function. It exits with what the function returns (an integer; void: 0), or with 1
/// after writing "type: message" of what it threw to stderr. Waits until it has started, a millisecond or
/// two; throws as compose_call and spawn do. `on_end` as in spawn_options.
std::shared_ptr<child_process> start_function(const detail::process_exchange& call, std::string name,
                                              std::function<void(process_end)> on_end);

}  // namespace quarq::processes
