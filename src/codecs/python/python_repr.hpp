// Values as Python's repr() shows them: for logs that are read by people, and programs, used to arq's.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace quarq::codecs::python {

/// One msgpack value as Python shows what msgpack.unpackb makes of it: {'url': 'http://a', 'tries': 3}.
/// Timestamps are datetime.datetime(…, tzinfo=datetime.timezone.utc), without what is beyond microseconds;
/// other extensions ExtType(code=5, data=b'…').
///
/// The result has at most `max` characters (code points); what would be longer is cut and ends in "…". What
/// lies behind the cut is not looked at. Throws quarq::decode_error if `msgpack` is not one well-formed
/// value, or is nested deeper than decoder::max_depth.
std::string to_python(std::string_view msgpack, std::size_t max = std::string::npos);

/// A msgpack array of arguments as in a call, without the parentheses: 1, 'x', deep=True. The first
/// `by_position` of them stand without their names, the others follow sorted by theirs. `names` are those of
/// all parameters.
std::string to_python_arguments(std::string_view msgpack, std::size_t by_position,
                                std::span<const std::string> names, std::size_t max = std::string::npos);

/// Text alone: 'it', "it's".
std::string python_quoted(std::string_view text);

}  // namespace quarq::codecs::python
