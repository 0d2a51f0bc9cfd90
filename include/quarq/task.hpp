// A task: a name and a signature, which both sides know. Calling it makes a call.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/call.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/model_tag.hpp>
#include <quarq/detail/task_arguments.hpp>

namespace quarq {

template <class Signature>
class task;

/// The name and the signature of work. Declared once, in a header that both sides include:
///
///     inline constexpr quarq::task<int(std::string url)> count_words{"count_words", "url"};
///
/// Calling it makes a call and runs nothing. The names of the parameters after the task's own name are
/// optional (all or none); error messages show them. All must be string literals or live as long as the task.
template <class R, class... Args>
class task<R(Args...)> {
  static_assert(
      (detail::is_copied<Args> && ...),
      "quarq: a parameter of a task can't be a T&: its handler gets a copy, maybe on another "
      "machine, and can't change the caller's object. Write T or const T&, and return what changes");

 public:
  using result_type = std::remove_cvref_t<R>;
  using arguments_type = std::tuple<std::remove_cvref_t<Args>...>;

  template <std::convertible_to<std::string_view>... Names>
    requires (sizeof...(Names) == 0 || sizeof...(Names) == sizeof...(Args))
  constexpr explicit task(std::string_view name, Names... parameters)
      : name_(name), parameters_{parameters...} {}

  /// Encodes the arguments, each of which must convert to its parameter's type (a floating-point number does
  /// not convert to an integer). Throws as encode() does; if any breaks its model (<quarq/model.hpp>), invalid_value
  /// with all that is wrong.
  template <class... Given>
  call<result_type> operator()(Given&&... given) const {
    static_assert(sizeof...(Given) == sizeof...(Args),
                  "quarq: wrong number of arguments for this task: see its signature in this message");
    if constexpr (sizeof...(Given) == sizeof...(Args)) {
      return checked(std::index_sequence_for<Args...>{}, std::forward<Given>(given)...);
    }
  }

  /// Decodes the arguments of a call, call::arguments(). Throws decode_error, which names the argument, if
  /// they are not what this task takes.
  arguments_type decode(std::string_view encoded) const {
    return decode_arguments<arguments_type>(encoded, name_, parameters());
  }

  constexpr std::string_view name() const noexcept { return name_; }
  /// The parameters' names; empty if none were given.
  constexpr std::span<const std::string_view> parameters() const noexcept {
    const bool named = sizeof...(Args) > 0 && !parameters_.front().empty();
    return {parameters_.data(), named ? sizeof...(Args) : 0};
  }

 private:
  template <std::size_t... I, class... Given>
  call<result_type> checked(std::index_sequence<I...>, Given&&... given) const {
    if constexpr ((detail::argument<task, I + 1, Given, std::remove_cvref_t<Args>>::ok && ...)) {
      if constexpr ((validation::uses_model<std::remove_cvref_t<Args>> || ...))
        validation::check_arguments<std::remove_cvref_t<Args>...>(
            name_, parameters(), detail::as<std::remove_cvref_t<Args>>(given)...);
      return call<result_type>(name_, encode_arguments(detail::as<std::remove_cvref_t<Args>>(given)...));
    }
  }

  std::string_view name_;
  std::array<std::string_view, sizeof...(Args) == 0 ? 1 : sizeof...(Args)> parameters_;
};

}  // namespace quarq
