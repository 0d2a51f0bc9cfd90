// Lists as header fields have them: "gzip;q=0.5, br".
#pragma once

#include <string_view>
#include <vector>

namespace quarq::http {

/// The elements of a list, without the spaces around them and without empty ones. Commas in quoted strings do not
/// separate.
std::vector<std::string_view> list_elements(std::string_view list);

}  // namespace quarq::http
