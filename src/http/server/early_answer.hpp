// What is answered without a handler, because of a request's method and target.
#pragma once

#include <optional>
#include <string_view>

#include <quarq/detail/http_request.hpp>
#include <quarq/http/response.hpp>

#include "http/server/router.hpp"
#include "http/server/target.hpp"

namespace quarq::http {

/// Sets path, parameters and route of `facts`, whose method is known. Returns the answer where no route is to be
/// asked: 400, 404, 405, 501, or what OPTIONS gets.
std::optional<response> early_answer(const router& routes, std::string_view raw_path,
                                     detail::request_facts& facts);

}  // namespace quarq::http
