#include "validation/kinds.hpp"

#include <array>

namespace quarq::validation {

namespace {

// docs/models.md has the same table; tests/unit/validation/kinds.cpp compares them. Names are pydantic's where the
// meaning is the same.
constexpr auto make_rows() {
  using enum error_kind;
  return std::array{
      kind_row{missing, "missing", "Field required"},
      kind_row{extra_forbidden, "extra_forbidden", "Extra inputs are not permitted"},
      kind_row{duplicate_key, "duplicate_key", "Name given twice"},
      kind_row{json_invalid, "json_invalid", "Invalid JSON: {} at line {} column {}"},
      kind_row{json_type, "json_type", "Text should be JSON: {}"},
      kind_row{msgpack_invalid, "msgpack_invalid", "Invalid msgpack: {}"},
      kind_row{too_deep, "too_deep", "Input should be nested at most {} levels deep"},
      kind_row{none_required, "none_required", "Input should be null"},
      kind_row{bool_type, "bool_type", "Input should be a valid boolean"},
      kind_row{bool_parsing, "bool_parsing", "Input should be a valid boolean, unable to interpret input"},
      kind_row{int_type, "int_type", "Input should be a valid integer"},
      kind_row{int_parsing, "int_parsing",
               "Input should be a valid integer, unable to parse string as an integer"},
      kind_row{int_parsing_size, "int_parsing_size",
               "Unable to parse input as an integer, exceeded maximum size"},
      kind_row{int_from_float, "int_from_float",
               "Input should be a valid integer, got a number with a fractional part"},
      kind_row{int_out_of_range, "int_out_of_range", "Input should be an integer from {} to {}"},
      kind_row{float_type, "float_type", "Input should be a valid number"},
      kind_row{float_parsing, "float_parsing",
               "Input should be a valid number, unable to parse string as a number"},
      kind_row{float_out_of_range, "float_out_of_range", "Input should be in the range of a 32-bit number"},
      kind_row{finite_number, "finite_number", "Input should be a finite number"},
      kind_row{greater_than, "greater_than", "Input should be greater than {}"},
      kind_row{greater_than_equal, "greater_than_equal", "Input should be greater than or equal to {}"},
      kind_row{less_than, "less_than", "Input should be less than {}"},
      kind_row{less_than_equal, "less_than_equal", "Input should be less than or equal to {}"},
      kind_row{multiple_of, "multiple_of", "Input should be a multiple of {}"},
      kind_row{string_type, "string_type", "Input should be a valid string"},
      kind_row{string_unicode, "string_unicode", "Input should be valid UTF-8"},
      kind_row{string_too_short, "string_too_short", "String should have at least {} character{}"},
      kind_row{string_too_long, "string_too_long", "String should have at most {} character{}"},
      kind_row{string_pattern_mismatch, "string_pattern_mismatch", "String should match pattern '{}'"},
      kind_row{email_parsing, "email_parsing", "Input should be a valid e-mail address"},
      kind_row{url_parsing, "url_parsing", "Input should be a valid URL"},
      kind_row{uuid_parsing, "uuid_parsing", "Input should be a valid UUID"},
      kind_row{datetime_parsing, "datetime_parsing", "Input should be a valid date and time with a zone"},
      kind_row{datetime_type, "datetime_type", "Input should be a date and time"},
      kind_row{date_parsing, "date_parsing", "Input should be a valid date"},
      kind_row{time_parsing, "time_parsing", "Input should be a valid time with a zone"},
      kind_row{ip_v4_address, "ip_v4_address", "Input should be a valid IPv4 address"},
      kind_row{ip_v6_address, "ip_v6_address", "Input should be a valid IPv6 address"},
      kind_row{hostname_parsing, "hostname_parsing", "Input should be a valid host name"},
      kind_row{time_delta_type, "time_delta_type",
               "Input should be a duration, a whole number of nanoseconds"},
      kind_row{time_delta_parsing, "time_delta_parsing",
               "Input should be a duration such as 1500ms, 30s or 2h"},
      kind_row{bytes_type, "bytes_type", "Input should be bytes"},
      kind_row{bytes_invalid_encoding, "bytes_invalid_encoding",
               "Input should be an object whose \"$bytes\" is base 64"},
      kind_row{bytes_too_short, "bytes_too_short", "Data should have at least {} byte{}"},
      kind_row{bytes_too_long, "bytes_too_long", "Data should have at most {} byte{}"},
      kind_row{enum_value, "enum", "Input should be one of {}"},
      kind_row{list_type, "list_type", "Input should be a valid list"},
      kind_row{set_type, "set_type", "Input should be a valid set"},
      kind_row{tuple_type, "tuple_type", "Input should be a valid list of {} item{}"},
      kind_row{tuple_length, "tuple_length", "List should have exactly {} item{}, not {}"},
      kind_row{dict_type, "dict_type", "Input should be a valid object"},
      kind_row{model_type, "model_type", "Input should be a valid object with the members of {}"},
      kind_row{too_short, "too_short", "Input should have at least {} item{}, not {}"},
      kind_row{too_long, "too_long", "Input should have at most {} item{}, not {}"},
      kind_row{unique_items, "unique_items", "Items should be unique: item {} is given again"},
      kind_row{union_type, "union_type", "Input should be {}"},
      kind_row{union_tag_not_found, "union_tag_not_found", "Unable to tell the type: '{}' is missing"},
      kind_row{union_tag_invalid, "union_tag_invalid", "Input should have a '{}' that is one of {}"},
      kind_row{value_error, "value_error", "{}"},
      kind_row{coded_value, "coded_value", "{}"},
      kind_row{secret_file, "secret_file", "File can't be read: {}"},
      kind_row{dotenv_syntax, "dotenv_syntax", "Line {} should be NAME=VALUE"},
  };
}
constexpr auto rows = make_rows();

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].kind) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

std::span<const kind_row> kind_rows() noexcept {
  return rows;
}

}  // namespace quarq::validation
