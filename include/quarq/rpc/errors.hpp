// How a call over HTTP can fail.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <quarq/errors.hpp>

namespace quarq::rpc {

/// Connect's codes, which are gRPC's. Each has one HTTP status (docs/rpc.md).
enum class code {
  canceled,
  unknown,  ///< the handler threw what is none of the others
  invalid_argument,
  deadline_exceeded,
  not_found,
  already_exists,
  permission_denied,
  resource_exhausted,
  failed_precondition,
  aborted,
  out_of_range,
  unimplemented,  ///< nobody there handles the task
  internal,
  unavailable,
  data_loss,
  unauthenticated,
};

/// "deadline_exceeded".
std::string_view to_string(code c) noexcept;

/// A call failed. As any call_failed, what() is the message, and type() the C++ name of what the handler threw.
///
/// A handler that throws this itself chooses the code, and with it the HTTP status:
///     throw quarq::rpc::call_error(quarq::rpc::code::not_found, "there is no user 7");
class call_error : public call_failed {
 public:
  call_error(rpc::code why, const std::string& message)
      : call_failed("quarq::rpc::call_error", message), code_(why) {}
  call_error(rpc::code why, std::string type, const std::string& message)
      : call_failed(std::move(type), message), code_(why) {}

  rpc::code code() const noexcept { return code_; }

 private:
  rpc::code code_;
};

}  // namespace quarq::rpc
