// The tasks of the fault tests: known to fault_worker, to fault_client and to the tests.
//
// "gate" is the path of a file: a job that waits for it is certainly in mid-job until the test makes the
// file.
#pragma once

#include <string>

#include <quarq/task.hpp>

namespace quarq::test {

/// Returns its argument; nothing but its two lines in the history.
inline constexpr task<int(int)> note{"note", "number"};
/// The same, with so many milliseconds between the lines.
inline constexpr task<int(int, int)> note_slowly{"note_slowly", "number", "milliseconds"};
/// Returns nothing, so that nothing is kept of it.
inline constexpr task<void(int)> note_nothing{"note_nothing", "number"};
/// The same on a thread.
inline constexpr task<int(int)> note_plain{"note_plain", "number"};

// These return "<pid> try <n>" of the worker when the gate is there.

/// A coroutine: stops when asked.
inline constexpr task<std::string(std::string)> wait_for_gate{"wait_for_gate", "gate"};
/// A coroutine that catches its cancellation and goes on waiting.
inline constexpr task<std::string(std::string)> wait_stubbornly{"wait_stubbornly", "gate"};
/// A plain function that looks at its stop_token: throws when asked to stop.
inline constexpr task<std::string(std::string)> wait_on_thread{"wait_on_thread", "gate"};
/// A plain function that knows of no stopping.
inline constexpr task<std::string(std::string)> wait_deaf{"wait_deaf", "gate"};

/// A coroutine that blocks its worker's loop until the gate is there. The next one with that gate does not.
inline constexpr task<std::string(std::string)> block{"block", "gate"};
/// The same with a timeout of a second.
inline constexpr task<std::string(std::string)> block_too_long{"block_too_long", "gate"};

/// Throws std::runtime_error with this message; a fixed worker returns it.
inline constexpr task<std::string(std::string)> throw_it{"throw_it", "message"};
/// Ends its worker's process: "segv", "abort", "exit" or "kill"; a fixed worker returns the word.
inline constexpr task<std::string(std::string)> crash{"crash", "how"};
/// Ends its worker's process until its job is a suspect; then enqueues note(number), and returns what that does.
inline constexpr task<int(int)> crash_then_await{"crash_then_await", "number"};
/// No worker but a fixed one knows it.
inline constexpr task<int(int)> new_task{"new_task", "number"};
/// As broken workers take it, and as a fixed one does.
inline constexpr task<int(int)> typed{"typed", "number"};
inline constexpr task<int(std::string)> typed_fixed{"typed", "text"};

}  // namespace quarq::test
