// The arguments of a call can't be decoded.
#pragma once

#include <vector>

#include <quarq/errors.hpp>
#include <quarq/validation_error.hpp>

namespace quarq::detail {

/// The arguments are not what the function takes, so that calling it again can't help. Told from a plain
/// decode_error, which may be the function's own.
struct bad_payload : decode_error {
  using decode_error::decode_error;
  explicit bad_payload(const decode_error& e) : decode_error(e.what()) {
    if (const auto* invalid = dynamic_cast<const validation_error*>(&e)) errors = invalid->errors();
  }

  /// Of the first argument that breaks its model, from that argument on. Empty: what() says it all.
  std::vector<model_error> errors;
};

}  // namespace quarq::detail
