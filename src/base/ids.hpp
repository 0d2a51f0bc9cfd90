// Names for jobs and leases that nobody else will ever make.
#pragma once

#include <string>

namespace quarq::base {

/// A ULID (github.com/ulid/spec): 26 characters of Crockford's base 32; 48 bits of Unix milliseconds, then 80
/// random bits, so ids sort by time. Thread-safe, and safe after fork.
std::string make_id();

}  // namespace quarq::base
