// Text as values: what lax input is converted by. docs/models.md has the table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <quarq/detail/model_rules.hpp>

namespace quarq::validation {

/// true, t, yes, y, on, 1 and false, f, no, n, off, 0, in any case.
std::optional<bool> bool_from_text(std::string_view text) noexcept;

enum class integer_fault { none, syntax, size };
/// Decimal digits with an optional sign; spaces around them don't count.
integer_fault integer_from_text(std::string_view text, wide_integer& value) noexcept;

/// As JSON's numbers, and "NaN", "Infinity" and the like in any case; spaces around them don't count.
std::optional<double> real_from_text(std::string_view text) noexcept;

/// Nanoseconds: "1500ms", "30s", "1h30m"; units are ns, us, ms, s, m, h and d. A whole number alone is nanoseconds.
std::optional<std::int64_t> duration_from_text(std::string_view text) noexcept;

}  // namespace quarq::validation
