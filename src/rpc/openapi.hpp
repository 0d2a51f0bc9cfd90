// What a server of RPC says of itself: OpenAPI 3.1, and a page that shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <quarq/handlers.hpp>

namespace quarq::rpc {

/// One path for each task. Arguments by name where the names are known, otherwise as an array.
std::string openapi_of(const std::vector<detail::named_handler>& all);

/// HTML that reads /openapi.json and calls tasks. It loads nothing from elsewhere.
extern const std::string_view docs_page;
extern const std::string_view docs_policy;

}  // namespace quarq::rpc
