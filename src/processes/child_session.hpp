// The life of a child: it takes a call, runs it, answers, and takes the next.
#pragma once

#include <string_view>

namespace quarq::processes {

/// Serves the parent at descriptor 3 until that is closed, then ends the process. `name` is shown by ps.
[[noreturn]] void serve_parent(std::string_view name);

}  // namespace quarq::processes
