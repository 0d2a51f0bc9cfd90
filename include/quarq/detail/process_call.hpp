// How a function is called in another process: what process_pool and process are made of.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/bad_payload.hpp>
#include <quarq/detail/process_target.hpp>
#include <quarq/run.hpp>

namespace quarq::detail {

/// What a thunk gets in the child.
struct process_invocation {
  decoder& arguments;  ///< one array
  encoder& result;     ///< one value is to be written
  void (*function)();
  std::string_view encoded_arguments;  ///< what `arguments` reads
  /// What the caller sent beside the arguments, one msgpack value or nothing. This level does not look at it.
  std::string_view facts;
};

/// One call to a process, with its types hidden. Must live until it has ended.
class process_exchange {
 public:
  explicit process_exchange(process_target to) : target(to) {}
  process_exchange(process_exchange&&) = default;

  process_target target;
  /// Bytes that the call may take beyond what its child has already.
  std::optional<std::uint64_t> memory_limit;
  /// See process_invocation.
  std::string facts;
  /// The result is wanted as msgpack that stands alone: nothing of it in shared memory, and no files.
  bool plain_result = false;

  /// Writes the arguments, one array. May be called again if the first child is gone before it could begin.
  virtual void write(encoder& out) const = 0;
  virtual void read(decoder& in) = 0;

 protected:
  ~process_exchange() = default;
};

// ---- what a function takes and returns

/// A name and a signature, such as quarq::task: what a function is registered under.
template <class T>
concept named_signature = requires(const T& named) {
  typename T::result_type;
  typename T::arguments_type;
  { named.name() } -> std::same_as<std::string_view>;
};

/// What a function may take first, before its arguments: an object that is made in the child and does not travel.
/// Specialised for the types that there are; code above this level adds its own.
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

/// The parameters of a function pointer or of a class with one operator(). Those of a generic lambda are unknown.
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

// ---- thunks

template <class Tuple>
Tuple read_process_arguments(decoder& in) {
  try {
    auto values = decode_arguments<Tuple>(in, {}, std::make_index_sequence<std::tuple_size_v<Tuple>>());
    in.finish();
    return values;
  } catch (const decode_error& e) {
    throw bad_payload(e.what());
  }
}

/// Writes what `call` returns, as a Result. A coroutine runs on a loop of its own.
template <class Result, class Call>
void write_process_result(encoder& out, Call call) {
  const auto value_of = [&]() -> decltype(auto) {
    if constexpr (is_awaitable<std::remove_cvref_t<decltype(call())>>) {
      return quarq::run(call());
    } else {
      return call();
    }
  };
  if constexpr (std::is_void_v<Result>) {
    value_of();
    out.nil();
  } else {
    quarq::encode<Result>(out, value_of());
  }
}

/// F itself, in the child.
template <process_function F>
F process_function_of(const process_invocation& in) {
  if constexpr (is_function_pointer<F>) {
    return reinterpret_cast<F>(in.function);
  } else {
    return F();
  }
}

template <class F, class Result, class Tuple>
void process_thunk_of(process_invocation& in) {
  auto f = process_function_of<F>(in);
  auto values = read_process_arguments<Tuple>(in.arguments);
  const auto call_with = [&](auto&&... first) -> decltype(auto) {
    const auto apply = [&](auto&... argument) -> decltype(auto) {
      return f(std::forward<decltype(first)>(first)..., std::move(argument)...);
    };
    return std::apply(apply, values);
  };
  using provided = typename process_result<F, Tuple>::provided;
  if constexpr (std::is_void_v<provided>) {
    write_process_result<Result>(in.result, call_with);
  } else {
    provided_parameter<provided> first(in);
    write_process_result<Result>(in.result, [&]() -> decltype(auto) { return call_with(first.get()); });
  }
}

/// A thunk for F, or for what calls F.
template <class F>
process_target process_target_with(process_thunk thunk, [[maybe_unused]] F f) {
  process_target target;
  target.thunk = thunk;
  if constexpr (is_function_pointer<F>) target.function = reinterpret_cast<void (*)()>(f);
  return target;
}

/// F called with Tuple, its result sent as Result.
template <class Result, class Tuple, class F>
process_target process_target_of(F f) {
  return process_target_with(&process_thunk_of<F, Result, Tuple>, f);
}

// ---- calls with their types

template <class Result, class Tuple>
class typed_exchange final : public process_exchange {
 public:
  typed_exchange(process_target to, Tuple arguments)
      : process_exchange(to), arguments_(std::move(arguments)) {}

  void write(encoder& out) const override {
    out.array(std::tuple_size_v<Tuple>);
    std::apply([&](const auto&... argument) { (quarq::encode(out, argument), ...); }, arguments_);
  }
  void read(decoder& in) override {
    if constexpr (std::is_void_v<Result>) {
      in.skip();
    } else {
      result_.emplace(quarq::decode<Result>(in));
    }
    in.finish();
  }
  Result take() {
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  struct nothing {};
  Tuple arguments_;
  std::optional<std::conditional_t<std::is_void_v<Result>, nothing, Result>> result_;
};

// ---- functions by name

using process_function_by_name = std::function<void(process_invocation&)>;
/// Replaces one of the same name. For static initialisers: a function is needed in the parent and in the child.
void register_process_function(std::string_view name, process_function_by_name run);

}  // namespace quarq::detail
