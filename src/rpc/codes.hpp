// Connect's codes and their HTTP statuses (connectrpc.com/docs/protocol, "Error codes").
#pragma once

#include <optional>
#include <string_view>

#include <quarq/rpc/errors.hpp>

namespace quarq::rpc {

int status_of(code c) noexcept;
/// nullopt for a name that is none.
std::optional<code> code_named(std::string_view name) noexcept;
/// Of an answer that names no code: a proxy's, or a handler's http::problem.
code code_of_status(int status) noexcept;

}  // namespace quarq::rpc
