#include "rpc/codes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace quarq::rpc {
namespace {

struct row {
  code is;
  std::string_view name;
  int status;
};

// In the order of the enumerators.
constexpr std::array<row, 16> rows{{
    {code::canceled, "canceled", 499},
    {code::unknown, "unknown", 500},
    {code::invalid_argument, "invalid_argument", 400},
    {code::deadline_exceeded, "deadline_exceeded", 504},
    {code::not_found, "not_found", 404},
    {code::already_exists, "already_exists", 409},
    {code::permission_denied, "permission_denied", 403},
    {code::resource_exhausted, "resource_exhausted", 429},
    {code::failed_precondition, "failed_precondition", 400},
    {code::aborted, "aborted", 409},
    {code::out_of_range, "out_of_range", 400},
    {code::unimplemented, "unimplemented", 501},
    {code::internal, "internal", 500},
    {code::unavailable, "unavailable", 503},
    {code::data_loss, "data_loss", 500},
    {code::unauthenticated, "unauthenticated", 401},
}};

const row& row_of(code c) noexcept {
  return rows[static_cast<std::size_t>(c)];
}

}  // namespace

std::string_view to_string(code c) noexcept {
  return row_of(c).name;
}

int status_of(code c) noexcept {
  return row_of(c).status;
}

std::optional<code> code_named(std::string_view name) noexcept {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const row& r) { return r.name == name; });
  if (found == rows.end()) return std::nullopt;
  return found->is;
}

code code_of_status(int status) noexcept {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return code::invalid_argument;
    case 401:
      return code::unauthenticated;
    case 403:
      return code::permission_denied;
    case 404:
      return code::unimplemented;
    case 408:
    case 504:
      return code::deadline_exceeded;
    case 409:
      return code::aborted;
    case 429:
    case 502:
    case 503:
      return code::unavailable;
    case 499:
      return code::canceled;
    default:
      return status >= 500 ? code::internal : code::unknown;
  }
}

}  // namespace quarq::rpc
