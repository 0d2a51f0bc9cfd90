// msgpack as JSON for people, and JSON typed by people as msgpack. docs/payload.md has the table of both
// ways.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quarq::codecs {

/// One msgpack value as JSON on one line: {"url": "http://a", "tries": 3}. Bytes are {"$bytes": "<base 64>"},
/// timestamps ISO 8601 strings, other extensions {"$ext": [type, "<base 64>"]}, NaN and infinities the
/// strings "NaN", "Infinity" and "-Infinity": json_to_msgpack and the typed codec read all of these back. A
/// key that is not a string is written as the string of its JSON (keys within it that are containers
/// themselves as "[...]" or "{...}"), and text that is not UTF-8 gets U+FFFD for each wrong byte.
///
/// The result has at most `limit` bytes; what would be longer is cut between two characters and ends in "…",
/// and is then no longer JSON. What lies behind the cut is not looked at. Throws quarq::decode_error if
/// `msgpack` is not one well-formed value, or is nested deeper than decoder::max_depth.
std::string to_json(std::string_view msgpack, std::size_t limit = std::string::npos);

/// JSON (RFC 8259) as one msgpack value. Integers stay integers up to 2^64 - 1; greater ones become real
/// numbers.
/// {"$bytes": ...} and {"$ext": ...} become what they stand for. Of members with the same name the last one
/// counts for whoever decodes them. Throws quarq::decode_error: "JSON, line 1, column 9: syntax error".
std::string json_to_msgpack(std::string_view json);

}  // namespace quarq::codecs
