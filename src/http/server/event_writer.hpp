// An event as bytes.
#pragma once

#include <string>
#include <string_view>

namespace quarq::http {

/// Throws usage_error for a type or an id with CR, LF or NUL.
std::string format_event(std::string_view data, std::string_view type, std::string_view id);

}  // namespace quarq::http
