// Whether a text is an e-mail address, a URL, a UUID … Plain functions, linear in the text.
#pragma once

#include <string_view>

#include <quarq/detail/model_rules.hpp>

#include "validation/kinds.hpp"

namespace quarq::validation {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_email(std::string_view text) noexcept;
bool is_url(std::string_view text) noexcept;
bool is_uuid(std::string_view text) noexcept;
bool is_date(std::string_view text) noexcept;
bool is_time(std::string_view text) noexcept;
bool is_date_time(std::string_view text) noexcept;
bool is_ipv4(std::string_view text) noexcept;
bool is_ipv6(std::string_view text) noexcept;
bool is_hostname(std::string_view text) noexcept;

bool has_format(text_format which, std::string_view text) noexcept;
/// The kind of error of a text that has not that format.
error_kind kind_of(text_format which) noexcept;
/// Its name in JSON Schema: "date-time".
std::string_view name_of(text_format which) noexcept;

}  // namespace quarq::validation
