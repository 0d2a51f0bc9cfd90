// JSON in the bodies and messages of HTTP, by way of msgpack, which all codecs know.
#pragma once

#include <string>
#include <string_view>

namespace quarq::http::detail {

/// One msgpack value as JSON.
std::string json_of_msgpack(std::string_view msgpack);
/// One JSON value as msgpack. Throws quarq::decode_error that begins with `what`: "message: JSON, line 1, ...".
std::string msgpack_of_json(std::string_view json, std::string_view what);

}  // namespace quarq::http::detail
