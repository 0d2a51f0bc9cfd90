// The arguments of a call can't be decoded.
#pragma once

#include <quarq/errors.hpp>

namespace quarq::detail {

/// The arguments are not what the function takes, so that calling it again can't help. Told from a plain
/// decode_error, which may be the function's own.
struct bad_payload : decode_error {
  using decode_error::decode_error;
};

}  // namespace quarq::detail
