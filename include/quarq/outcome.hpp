// The result of work that may have failed: its value or its exception.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

namespace detail {
/// The exception's what(); of another object its text or the name of its type; empty if it is null.
std::string message_of(const std::exception_ptr& thrown);
}  // namespace detail

/// The value or the exception of work that has ended, as gather_outcomes and map_outcomes return it. For T =
/// void the value is a std::monostate. Thread safety: that of a T.
template <class T>
class outcome {
 public:
  using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit outcome(value_type value) : kept_(std::in_place_index<0>, std::move(value)) {}
  explicit outcome(std::exception_ptr error) : kept_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return kept_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// Returns the value, or throws the exception.
  value_type& value() & {
    if (!ok()) std::rethrow_exception(std::get<1>(kept_));
    return std::get<0>(kept_);
  }
  const value_type& value() const& {
    if (!ok()) std::rethrow_exception(std::get<1>(kept_));
    return std::get<0>(kept_);
  }
  value_type&& value() && { return std::move(value()); }

  /// Null if it succeeded.
  std::exception_ptr error() const noexcept { return ok() ? std::exception_ptr() : std::get<1>(kept_); }
  /// The exception's what(); empty if it succeeded.
  std::string message() const { return detail::message_of(error()); }

 private:
  std::variant<value_type, std::exception_ptr> kept_;
};

}  // namespace quarq
