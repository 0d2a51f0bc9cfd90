// How a function is called in another process: what process_pool and process are made of.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/detail/bad_payload.hpp>
#include <quarq/detail/process_function.hpp>
#include <quarq/detail/process_target.hpp>
#include <quarq/run.hpp>

namespace quarq::detail {

/// Takes what a function says while it runs to the one who called it, a msgpack value each time, at most 64 KiB. This
/// level does not look at it. Thread safety: any, until the function returns.
class note_sender {
 public:
  virtual void send_note(std::string_view note) = 0;

 protected:
  ~note_sender() = default;
};

/// What a thunk gets in the child.
struct process_invocation {
  decoder& arguments;  ///< one array
  encoder& result;     ///< one value is to be written
  void (*function)();
  std::string_view encoded_arguments;  ///< what `arguments` reads
  /// What the caller sent beside the arguments, one msgpack value or nothing. This level does not look at it.
  std::string_view facts;
  note_sender* notes = nullptr;  ///< null: nobody listens
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
  /// Called on the loop with each note of the function, before its result is there. What it throws ends the call.
  /// Empty: the function is not to send any.
  std::function<void(std::string_view note)> on_note;
  /// The result is wanted as msgpack that stands alone: nothing of it in shared memory, and no files.
  bool plain_result = false;

  /// Writes the arguments, one array. May be called again if the first child is gone before it could begin.
  virtual void write(encoder& out) const = 0;
  virtual void read(decoder& in) = 0;

 protected:
  ~process_exchange() = default;
};

// ---- thunks

template <class Tuple>
Tuple read_process_arguments(decoder& in) {
  try {
    auto values = decode_arguments<Tuple>(in, {});
    in.finish();
    return values;
  } catch (const decode_error& e) {
    throw bad_payload(e);
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
    const encoder::scope level(out);
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
/// Replaces one of the same name. For static initialisers: a function is needed in the parent and in the
/// child.
void register_process_function(std::string_view name, process_function_by_name run);

}  // namespace quarq::detail
