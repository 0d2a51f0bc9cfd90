// Forwards to completion.hpp until all users include that.
#pragma once

#include "async/completion.hpp"

namespace quarq::async {
using handoff = completion;
}  // namespace quarq::async
