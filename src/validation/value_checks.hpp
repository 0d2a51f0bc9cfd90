// Whether one value holds to its rules; the same for values that are read and values that exist.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/detail/model_type.hpp>

#include "validation/error_list.hpp"

namespace quarq::validation {

/// What one value must be, from its member's rules or its container's.
struct asked_rules {
  const value_rules* own = &no_rules;
  const value_rules* each = &no_rules;
  compiled_pattern* pattern = nullptr;
  compiled_pattern* each_pattern = nullptr;
  /// Of what a variant holds: the variant's rules, where they have checks, and the variant.
  const value_rules* of_variant = nullptr;
  const void* variant = nullptr;

  asked_rules of_element() const noexcept { return {each, &no_rules, each_pattern, nullptr}; }
  /// `at`: the variant that is asked this.
  asked_rules held_by_variant(const void* at) const noexcept {
    asked_rules result;
    const bool has_checks = own->check_count > 0;
    result.of_variant = has_checks ? own : of_variant;
    result.variant = has_checks ? at : variant;
    return result;
  }
};

/// The rules of a member.
inline asked_rules asked_of(const member& of) noexcept {
  return {&of.asked, &of.asked.each, of.pattern, of.element_pattern};
}

// Each adds what is wrong to `errors`.
void check_integer(const value_rules& asked, wide_integer value, error_list& errors);
void check_real(const value_rules& asked, double value, error_list& errors);
void check_text(const asked_rules& asked, std::string_view value, error_list& errors);
void check_length(const value_rules& asked, std::size_t size, error_kind too_short, error_kind too_long,
                  error_list& errors);
/// Those that the user wrote. `value` is of the type that they were written for.
void check_by_user(const value_rules& asked, const void* value, error_list& errors);
/// Those of the variant that holds a value, when that is as it should be.
void check_variant_by_user(const asked_rules& asked, error_list& errors);
/// Of a list whose elements are as they should be. A set sees to it by itself.
void check_unique(const value_rules& asked, const list_type& what, const void* value, error_list& errors);
void check_size(const value_rules& asked, std::size_t size, error_list& errors);

/// "a, b or c"; each in quotes if `quote` is set.
std::string listed(const std::vector<std::string_view>& names, bool quote = true);
std::string names_of(const enum_type& what);
/// The enumerator of this value. Throws usage_error if it has none.
std::string_view name_of(const enum_type& what, const void* value);
std::string tags_of(const variant_type& what);

std::string digits_of(wide_integer value);
/// The least and the greatest value of an integer.
wide_integer least(const integer_type& what) noexcept;
wide_integer greatest(const integer_type& what) noexcept;
wide_integer load(const integer_type& what, const void* value) noexcept;
void store(const integer_type& what, void* target, wide_integer value) noexcept;
double load(const real_type& what, const void* value) noexcept;

}  // namespace quarq::validation
