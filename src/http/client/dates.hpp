// Moments as header fields have them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace quarq::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT" and all that servers write in its place, read as RFC 6265, 5.1.1 does. Nullopt:
/// it is no moment.
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text);

/// The same on the clock of nanoseconds, which has no year 9999, nor 1601: what lies before 1970 or behind 2200 becomes
/// that.
std::chrono::system_clock::time_point on_system_clock(std::chrono::sys_seconds when) noexcept;

/// A Retry-After: seconds or a moment. Nullopt: neither. At most a day.
std::optional<std::chrono::milliseconds> retry_after_of(std::string_view field,
                                                        std::chrono::system_clock::time_point now);

/// For how long a connection may stay idle when its server has sent this Keep-Alive: `max`, or its timeout less one
/// second, in which the server may close it.
std::chrono::milliseconds kept_alive_for(std::string_view keep_alive, std::chrono::milliseconds max);

}  // namespace quarq::http
