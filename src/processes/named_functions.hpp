// The tasks that have a process_handler.
#pragma once

#include <string_view>

#include <quarq/process_call.hpp>

namespace quarq::processes {

/// Null if there is none.
const detail::process_function_by_name* find_handler(std::string_view task);

}  // namespace quarq::processes
