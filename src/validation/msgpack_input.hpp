// msgpack as events.
#pragma once

#include <string_view>

namespace quarq::validation {

class builder;

/// Gives a builder one value. False: it wants no more. Throws decode_error for what is no msgpack.
bool feed_msgpack(builder& to, std::string_view data);

}  // namespace quarq::validation
