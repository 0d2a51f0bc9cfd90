// Moments as people write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <quarq/msgpack.hpp>

namespace quarq::codecs {

/// "2019-03-01T12:00:00Z", with as many of 3, 6 or 9 decimals as there are nanoseconds to show. Years beyond
/// 9999 or before 0 have a sign, as in ISO 8601's expanded form.
std::string to_iso8601(timestamp moment);

/// Reads YYYY-MM-DD, "T", "t" or a space, HH:MM, optionally :SS and a fraction of up to 9 decimals, and a
/// zone: Z, z, +HH:MM, +HHMM or +HH. Nothing for anything else: a time without a zone, a day that is not in
/// the calendar, second 60.
std::optional<timestamp> from_iso8601(std::string_view text) noexcept;

}  // namespace quarq::codecs
