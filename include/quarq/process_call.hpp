// How a function is called in another process: what process_pool, process and the worker are made of.
// Programs need <quarq/process_pool.hpp>.
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
#include <quarq/context.hpp>
#include <quarq/handler.hpp>
#include <quarq/run.hpp>
#include <quarq/task.hpp>

namespace quarq::detail {

/// What a thunk gets in the child: reads its arguments, one array, and writes its result, one value.
struct process_invocation {
  decoder& arguments;
  encoder& result;
  void (*function)();
  quarq::context& facts;
};

/// One call to a process, with its types hidden. Must live until it has ended.
class process_exchange {
 public:
  explicit process_exchange(process_target to) : target(to) {}
  process_exchange(process_exchange&&) = default;

  process_target target;
  /// Bytes that the call may take beyond what its child has already.
  std::optional<std::uint64_t> memory_limit;
  std::optional<job_facts> facts;
  /// The result is wanted as msgpack that stands alone: nothing of it in shared memory, and no files.
  bool plain_result = false;

  /// Writes the arguments, one array. May be called again if the first child is gone before it could begin.
  virtual void write(encoder& out) const = 0;
  virtual void read(decoder& in) = 0;

 protected:
  ~process_exchange() = default;
};

// ---- what a function takes and returns

template <class T>
inline constexpr bool is_task = false;
template <class Signature>
inline constexpr bool is_task<task<Signature>> = true;

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

/// The parameters of a function pointer or of a class with one operator(); none can be told of a generic
/// lambda.
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

/// What travels for these parameters: not a leading context or stop_token, which the child has itself.
template <class List>
struct stored_arguments;
template <class... P>
struct stored_arguments<parameter_list<P...>> {
  using type = std::tuple<typename stored_argument<P>::type...>;
};
template <class... P>
struct stored_arguments<parameter_list<context&, P...>> : stored_arguments<parameter_list<P...>> {};
template <class... P>
struct stored_arguments<parameter_list<std::stop_token, P...>> : stored_arguments<parameter_list<P...>> {};

template <class F, class... Given>
struct process_arguments {
  using type = std::tuple<typename stored_argument<Given>::type...>;
};
template <class F, class... Given>
  requires requires { typename parameters_of<F>::type; }
struct process_arguments<F, Given...> {
  using type = typename stored_arguments<typename parameters_of<F>::type>::type;
};

template <class F>
inline constexpr bool is_function_pointer =
    std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;
/// Nothing of it has to travel but what it is.
template <class F>
concept process_function =
    is_function_pointer<F> || (std::is_empty_v<F> && std::is_default_constructible_v<F>);

template <class F, class Tuple>
struct process_result;
template <class F, class... P>
struct process_result<F, std::tuple<P...>> {
  static constexpr bool callable = std::is_invocable_v<F&, context&, P&&...> ||
                                   std::is_invocable_v<F&, std::stop_token, P&&...> ||
                                   std::is_invocable_v<F&, P&&...>;
  static auto given() {
    if constexpr (callable) {
      using result = decltype(call_handler(std::declval<F&>(), std::declval<context&>(),
                                           std::declval<std::tuple<P...>&>()));
      return std::type_identity<typename awaited<std::remove_cvref_t<result>>::type>();
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

/// Calls f, a coroutine on a loop of its own, and writes its result as a Result.
template <class Result, class Tuple, class F>
void call_in_process(F& f, process_invocation& in) {
  auto values = read_process_arguments<Tuple>(in.arguments);
  const auto value_of = [&]() -> decltype(auto) {
    if constexpr (is_awaitable<std::remove_cvref_t<decltype(call_handler(f, in.facts, values))>>) {
      return quarq::run(call_handler(f, in.facts, values));
    } else {
      return call_handler(f, in.facts, values);
    }
  };
  if constexpr (std::is_void_v<Result>) {
    value_of();
    in.result.nil();
  } else {
    quarq::encode<Result>(in.result, value_of());
  }
}

template <class F, class Result, class Tuple>
void process_thunk_of(process_invocation& in) {
  if constexpr (is_function_pointer<F>) {
    auto f = reinterpret_cast<F>(in.function);
    call_in_process<Result, Tuple>(f, in);
  } else {
    F f;
    call_in_process<Result, Tuple>(f, in);
  }
}

/// F called with Tuple, its result sent as Result.
template <class Result, class Tuple, class F>
process_target process_target_of([[maybe_unused]] F f) {
  process_target target;
  target.thunk = &process_thunk_of<F, Result, Tuple>;
  if constexpr (is_function_pointer<F>) target.function = reinterpret_cast<void (*)()>(f);
  return target;
}

/// The handler of a task, to run in a process: for the worker. Throws invalid_argument for one with captures.
template <class R, class... Args, class F>
process_target process_target_of_handler(const task<R(Args...)>& what, const F& f) {
  using traits = handler_of<task<R(Args...)>, F>;
  if constexpr (process_function<F> && traits::ok) {
    return process_target_of<typename traits::result, typename traits::arguments>(f);
  } else {
    throw invalid_argument("the handler of " + std::string(what.name()) +
                           " can't run in a process: it must be a function or a lambda without captures");
  }
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

/// One whose arguments are encoded already, and whose result stays so.
class raw_exchange final : public process_exchange {
 public:
  raw_exchange(process_target to, std::string arguments)
      : process_exchange(to), arguments_(std::move(arguments)) {
    plain_result = true;
  }
  void write(encoder& out) const override { out.raw(arguments_); }
  void read(decoder& in) override { result_ = in.raw(); }
  std::string take() { return std::move(result_); }

 private:
  std::string arguments_;
  std::string result_;
};

// ---- handlers by name

using process_function_by_name = std::function<void(process_invocation&)>;
/// Replaces one of the same name. For static initialisers.
void register_process_handler(std::string_view task, process_function_by_name run);

}  // namespace quarq::detail
