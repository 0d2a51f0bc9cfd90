// Why a call has no result: from the exception to the answer, and back.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/http/response.hpp>
#include <quarq/rpc/errors.hpp>

#include "rpc/input_errors.hpp"

namespace quarq::rpc {

struct failure {
  rpc::code code = code::unknown;
  int status = 0;       ///< 0: that of the code
  std::string type;     ///< the C++ name of what was thrown
  std::string message;  ///< for a person
  std::vector<input_error> errors;
  std::optional<std::chrono::milliseconds> retry_after;
  /// False: no handler has begun.
  bool started = true;
};

/// What a handler of this task threw, or what kept it from being called. `names` are its parameters', which a process
/// that runs it does not know; or none.
failure failure_of(const std::exception_ptr& thrown, std::string_view task,
                   std::span<const std::string> names = {});

/// `{"code": "unknown", "message": "...", "details": [{"type": "shop::no_space", "message": "..."}]}`; for arguments
/// that don't fit the details are `{"kind": ..., "path": [...], "message": ...}`.
http::response answer_with(const failure& f);

/// What the answer of another status than 200 says. Any server's can be read.
failure read_failure(const http::response& answer);

/// What the caller gets.
std::exception_ptr to_exception(const failure& f);

}  // namespace quarq::rpc
