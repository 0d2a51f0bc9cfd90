// Forwards to auto_reset_event.hpp until all users include that.
#pragma once

#include "async/auto_reset_event.hpp"

namespace quarq::async {
using event = auto_reset_event;
}  // namespace quarq::async
