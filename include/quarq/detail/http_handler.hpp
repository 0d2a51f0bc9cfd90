// From a function with parameters of its own to one that takes a request and returns a response.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/awaitable_traits.hpp>
#include <quarq/detail/http_text.hpp>
#include <quarq/detail/model_tag.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/query.hpp>
#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>

namespace quarq::http::detail {

/// A handler without its types: one of both functions is set.
struct handler {
  std::function<response(request&)> plain;
  std::function<awaitable<response>(request&)> coroutine;
  /// Whether it wants the body to have been read.
  bool takes_body = false;
};

// ---- the signature

template <class R, class... Args>
struct signature {
  using result = R;
  using parameters = boost::mp11::mp_list<Args...>;
};
template <class F>
struct signature_of : signature_of<decltype(&F::operator())> {};
template <class R, class... Args>
struct signature_of<R (*)(Args...)> : signature<R, Args...> {};
template <class R, class... Args>
struct signature_of<R (*)(Args...) noexcept> : signature<R, Args...> {};
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...)> : signature<R, Args...> {};
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...) const> : signature<R, Args...> {};
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...) noexcept> : signature<R, Args...> {};
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...) const noexcept> : signature<R, Args...> {};

// ---- the parameters

enum class parameter_kind { path, query, request, body };

template <class T>
inline constexpr bool is_query = false;
template <class T>
inline constexpr bool is_query<query<T>> = true;

template <class Arg>
constexpr parameter_kind kind_of() {
  using value = std::remove_cvref_t<Arg>;
  if constexpr (std::is_same_v<value, request>) {
    static_assert(std::is_lvalue_reference_v<Arg>,
                  "quarq: a handler takes the request by reference: http::request&");
    return parameter_kind::request;
  } else {
    static_assert(!std::is_lvalue_reference_v<Arg> || std::is_const_v<std::remove_reference_t<Arg>>,
                  "quarq: a handler takes its parameters by value, except for http::request&");
    if constexpr (text_value<value>)
      return parameter_kind::path;
    else if constexpr (is_query<value>)
      return parameter_kind::query;
    else
      return parameter_kind::body;
  }
}

/// What is wrong with the body that was sent: 400, 415 or 422.
void check_body_type(const request& r);
std::string msgpack_of_body(const request& r);
[[noreturn]] void throw_bad_body(const decode_error& e);

/// The body as a value that has a model: 422 with all that is wrong with it.
void read_model(const request& r, const validation::type& what, void* target);

template <class T>
T body_value(const request& r) {
  QUARQ_REQUIRE_CODEC(T);
  check_body_type(r);
  if constexpr (validation::uses_model<T>) {
    T value{};
    read_model(r, validation::type_of<T>::value, &value);
    return value;
  }
  const auto data = msgpack_of_body(r);
  try {
    return from_msgpack<T>(data, "body");
  } catch (const decode_error& e) {
    throw_bad_body(e);
  }
}

/// The text that stands for the parameter with this index.
const std::string& path_text(const request& r, std::size_t index);

/// `Index`: among the parameters of the path, if it is one.
template <class Arg, std::size_t Index>
decltype(auto) take_argument(request& r) {
  using value = std::remove_cvref_t<Arg>;
  if constexpr (kind_of<Arg>() == parameter_kind::request) {
    return static_cast<request&>(r);
  } else if constexpr (kind_of<Arg>() == parameter_kind::path) {
    auto found = from_text<value>(path_text(r, Index));
    if (!found) throw_no_such_path(r);
    return value(std::move(*found));
  } else if constexpr (kind_of<Arg>() == parameter_kind::query) {
    return read_query<std::remove_cvref_t<decltype(std::declval<value>().value)>>(r);
  } else {
    return body_value<value>(r);
  }
}

template <class List>
struct arguments;
template <class... Args>
struct arguments<boost::mp11::mp_list<Args...>> {
  static constexpr std::size_t count([[maybe_unused]] parameter_kind kind) {
    return (std::size_t{0} + ... + (kind_of<Args>() == kind ? 1 : 0));
  }
  static constexpr std::size_t path_parameters = count(parameter_kind::path);
  static constexpr bool takes_body = count(parameter_kind::body) > 0;
  static constexpr bool path_comes_first() {
    constexpr std::array<parameter_kind, sizeof...(Args)> kinds{kind_of<Args>()...};
    return std::is_sorted(kinds.begin(), kinds.end(), [](parameter_kind a, parameter_kind b) {
      return a == parameter_kind::path && b != parameter_kind::path;
    });
  }
  static_assert(
      path_comes_first(),
      "quarq: the parameters of a handler that stand for the pattern's {...}, which are numbers, bool, enums "
      "and std::string, come first");
  static_assert(count(parameter_kind::body) <= 1, "quarq: a handler has one parameter for the body at most");

  template <std::size_t... I>
  static auto take(request& r, std::index_sequence<I...>) {
    return std::tuple<decltype(take_argument<Args, I>(r))...>{take_argument<Args, I>(r)...};
  }
  static auto take(request& r) { return take(r, std::index_sequence_for<Args...>()); }
};

template <class F>
using arguments_of = arguments<typename signature_of<std::decay_t<F>>::parameters>;

// ---- the result

/// 404: the handler returned an optional without a value.
response answer_of_absence();

template <class T>
response to_response(T value) {
  if constexpr (std::is_same_v<T, response>) {
    return value;
  } else if constexpr (is_optional<T>) {
    return value ? to_response(std::move(*value)) : answer_of_absence();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return text(std::move(value));
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    return text(std::string(std::string_view(value)));
  } else {
    return json(value);
  }
}

// ---- both together

template <class F>
response call_plain(F& f, request& r) {
  auto given = arguments_of<F>::take(r);
  if constexpr (std::is_void_v<typename signature_of<F>::result>) {
    std::apply(f, std::move(given));
    return response(204);
  } else {
    return to_response(std::apply(f, std::move(given)));
  }
}

template <class F>
awaitable<response> call_coroutine(F& f, request& r) {
  auto given = arguments_of<F>::take(r);
  auto work = std::apply(f, std::move(given));
  if constexpr (std::is_void_v<typename quarq::detail::awaited<decltype(work)>::type>) {
    co_await std::move(work);
    response nothing(204);
    co_return nothing;
  } else {
    auto value = co_await std::move(work);
    co_return to_response(std::move(value));
  }
}

template <class F>
handler make_handler(F f) {
  handler made;
  made.takes_body = arguments_of<F>::takes_body;
  auto kept = std::make_shared<F>(std::move(f));
  if constexpr (quarq::detail::is_awaitable<std::remove_cvref_t<typename signature_of<F>::result>>) {
    made.coroutine = [kept](request& r) { return call_coroutine(*kept, r); };
  } else {
    made.plain = [kept](request& r) { return call_plain(*kept, r); };
  }
  return made;
}

}  // namespace quarq::http::detail
