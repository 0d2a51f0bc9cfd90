// What a child process is to run, with its types hidden.
#pragma once

#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::detail {

struct process_invocation;
/// Calls one function with decoded arguments and encodes its result.
using process_thunk = void (*)(process_invocation&);

/// A thunk, which the child finds by its address in the program, with the function pointer that it calls if
/// it needs one; or, without a thunk, a function that was registered under `name`. With a thunk, `name` is
/// only for messages.
struct process_target {
  process_thunk thunk = nullptr;
  void (*function)() = nullptr;
  std::string_view name = {};
};

}  // namespace quarq::detail
