// JSON as events.
#pragma once

#include <string_view>

namespace quarq::validation {

class builder;

/// Gives a builder one value of JSON. What is no JSON is among its errors then.
void feed_json(builder& to, std::string_view text);

}  // namespace quarq::validation
