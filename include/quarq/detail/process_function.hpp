// Which functions another process can run, what travels to them, and what they return.
#pragma once

#include <concepts>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <quarq/awaitable.hpp>
#include <quarq/detail/process_target.hpp>

namespace quarq::detail {

/// A name and a signature, such as quarq::task: what a function is registered under.
template <class T>
concept named_signature = requires(const T& named) {
  typename T::result_type;
  typename T::arguments_type;
  { named.name() } -> std::same_as<std::string_view>;
};

/// What a function may take first, before its arguments: an object that is made in the child and does not
/// travel. Specialised for the types that there are; code above this level adds its own.
template <class Parameter>
struct provided_parameter {
  static constexpr bool exists = false;
};
/// Never asked to stop: a call is ended by killing its process.
template <>
struct provided_parameter<std::stop_token> {
  static constexpr bool exists = true;
  explicit provided_parameter(const process_invocation&) noexcept {}
  std::stop_token get() const noexcept { return {}; }
};

template <class... P>
struct parameter_list {};

template <class F>
struct call_operator {};
template <class C, class R, class... P>
struct call_operator<R (C::*)(P...) const> {
  using parameters = parameter_list<P...>;
};
template <class C, class R, class... P>
struct call_operator<R (C::*)(P...)> : call_operator<R (C::*)(P...) const> {};
template <class C, class R, class... P>
struct call_operator<R (C::*)(P...) const noexcept> : call_operator<R (C::*)(P...) const> {};
template <class C, class R, class... P>
struct call_operator<R (C::*)(P...) noexcept> : call_operator<R (C::*)(P...) const> {};

/// The parameters of a function pointer or of a class with one operator(). Those of a generic lambda are
/// unknown.
template <class F>
struct parameters_of {};
template <class R, class... P>
struct parameters_of<R (*)(P...)> {
  using type = parameter_list<P...>;
};
template <class R, class... P>
struct parameters_of<R (*)(P...) noexcept> : parameters_of<R (*)(P...)> {};
template <class F>
  requires requires { typename call_operator<decltype(&F::operator())>::parameters; }
struct parameters_of<F> {
  using type = typename call_operator<decltype(&F::operator())>::parameters;
};

template <class T>
struct stored_argument {
  using type = std::remove_cvref_t<T>;
};
template <class T>
  requires std::same_as<std::remove_cvref_t<T>, std::string_view> ||
           std::same_as<std::decay_t<T>, const char*>
struct stored_argument<T> {
  using type = std::string;
};

/// The provided parameter, void if there is none, and the tuple of what travels for the others.
template <class List>
struct split_parameters;
template <class... P>
struct split_parameters<parameter_list<P...>> {
  using provided = void;
  using stored = std::tuple<typename stored_argument<P>::type...>;
};
template <class First, class... P>
  requires provided_parameter<First>::exists
struct split_parameters<parameter_list<First, P...>> {
  using provided = First;
  using stored = std::tuple<typename stored_argument<P>::type...>;
};

/// What travels when F is called with these arguments.
template <class F, class... Given>
struct process_arguments {
  using type = std::tuple<typename stored_argument<Given>::type...>;
};
template <class F, class... Given>
  requires requires { typename parameters_of<F>::type; }
struct process_arguments<F, Given...> {
  using type = typename split_parameters<typename parameters_of<F>::type>::stored;
};

/// What F is given first: of a generic lambda a stop_token, if it can't be called without.
template <class F, class... P>
struct provided_first {
  using type =
      std::conditional_t<!std::is_invocable_v<F&, P&&...> && std::is_invocable_v<F&, std::stop_token, P&&...>,
                         std::stop_token, void>;
};
template <class F, class... P>
  requires requires { typename parameters_of<F>::type; }
struct provided_first<F, P...> {
  using type = typename split_parameters<typename parameters_of<F>::type>::provided;
};

template <class F>
inline constexpr bool is_function_pointer =
    std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;
/// Nothing of it has to travel but what it is.
template <class F>
concept process_function =
    is_function_pointer<F> || (std::is_empty_v<F> && std::is_default_constructible_v<F>);

template <class F, class First, class... P>
struct provided_call : std::is_invocable<F&, First, P&&...> {
  using result = std::invoke_result<F&, First, P&&...>;
};
template <class F, class... P>
struct provided_call<F, void, P...> : std::is_invocable<F&, P&&...> {
  using result = std::invoke_result<F&, P&&...>;
};

/// What F gives, called with the values of this tuple; of a coroutine function what it yields.
template <class F, class Tuple>
struct process_result;
template <class F, class... P>
struct process_result<F, std::tuple<P...>> {
  using provided = typename provided_first<F, P...>::type;
  using call = provided_call<F, provided, P...>;
  static constexpr bool callable = call::value;
  static auto given() {
    if constexpr (callable) {
      using returned = std::remove_cvref_t<typename call::result::type>;
      return std::type_identity<typename awaited<returned>::type>();
    } else {
      return std::type_identity<void>();
    }
  }
  using type = typename decltype(given())::type;
};

}  // namespace quarq::detail
