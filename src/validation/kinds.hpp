// Every kind of error, and what its message says.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace quarq::validation {

enum class error_kind : unsigned char {
  missing,
  extra_forbidden,
  duplicate_key,
  json_invalid,
  json_type,
  msgpack_invalid,
  too_deep,
  none_required,
  bool_type,
  bool_parsing,
  int_type,
  int_parsing,
  int_parsing_size,
  int_from_float,
  int_out_of_range,
  float_type,
  float_parsing,
  float_out_of_range,
  finite_number,
  greater_than,
  greater_than_equal,
  less_than,
  less_than_equal,
  multiple_of,
  string_type,
  string_unicode,
  string_too_short,
  string_too_long,
  string_pattern_mismatch,
  email_parsing,
  url_parsing,
  uuid_parsing,
  datetime_parsing,
  datetime_type,
  date_parsing,
  time_parsing,
  ip_v4_address,
  ip_v6_address,
  hostname_parsing,
  time_delta_type,
  time_delta_parsing,
  bytes_type,
  bytes_invalid_encoding,
  bytes_too_short,
  bytes_too_long,
  enum_value,
  list_type,
  set_type,
  tuple_type,
  tuple_length,
  dict_type,
  model_type,
  too_short,
  too_long,
  unique_items,
  union_type,
  union_tag_not_found,
  union_tag_invalid,
  value_error,
  coded_value,
  secret_file,
  dotenv_syntax,
};

struct kind_row {
  error_kind kind;
  std::string_view name;
  std::string_view message;  ///< {} stand for what differs
};

/// In the order of error_kind.
std::span<const kind_row> kind_rows() noexcept;

inline const kind_row& row_of(error_kind kind) noexcept {
  return kind_rows()[static_cast<std::size_t>(kind)];
}

}  // namespace quarq::validation
