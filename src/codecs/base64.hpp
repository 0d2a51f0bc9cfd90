// Bytes within JSON: RFC 4648's base 64, with + and /.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quarq::codecs {

/// With padding: "aGk=".
std::string to_base64(std::string_view data);

/// Padding may be left out. Nothing if the text is not base 64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace quarq::codecs
