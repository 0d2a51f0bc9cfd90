// Commands that do what can't be undone ask before.
#pragma once

#include <string_view>

namespace quarq::cli {

/// Asks on the terminal. Throws usage_error where there is none: "purge asks before it forgets jobs, ...".
bool confirmed(std::string_view question, std::string_view command, std::string_view what_it_does);

}  // namespace quarq::cli
