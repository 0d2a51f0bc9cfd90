// Names for jobs and leases that nobody else will ever make.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quarq::base {

/// A ULID (github.com/ulid/spec): 26 characters of Crockford's base 32; 48 bits of Unix milliseconds, then 80
/// random bits, so ids sort by time. Thread-safe, and safe after fork.
std::string make_id();

/// Random, as ids are. Thread-safe, and safe after fork.
std::uint64_t random_bits();

/// Whether it has the form of an id that make_id() makes.
bool is_made_id(std::string_view id) noexcept;

}  // namespace quarq::base
