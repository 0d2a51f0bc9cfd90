// Names as segments of paths.
#pragma once

#include <string>
#include <string_view>

namespace quarq::rpc {

/// Percent-encoded, but for what a segment may have (RFC 3986, 3.3).
std::string path_text(std::string_view name);

}  // namespace quarq::rpc
