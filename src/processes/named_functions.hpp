// The functions that were registered under a name.
#pragma once

#include <string_view>

#include <quarq/detail/process_call.hpp>

namespace quarq::processes {

/// Null if there is none.
const detail::process_function_by_name* find_named_function(std::string_view name);

}  // namespace quarq::processes
