// How a function becomes the handler of a task.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
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
#include <quarq/retry.hpp>
#include <quarq/task.hpp>

namespace quarq {

/// What a worker does with the jobs of one task. A call may say otherwise for its own job.
struct handler_options {
  /// How long one try may take; then it is asked to stop and has failed with timed_out. Nothing: no limit.
  std::optional<std::chrono::milliseconds> timeout = std::chrono::minutes(5);
  retry_policy retry = {};
  /// How long results can be looked up: by default an hour, and not at all where the task returns nothing.
  /// Failures are kept for at least an hour. 0: not at all.
  std::optional<std::chrono::milliseconds> keep_result = std::nullopt;
};

namespace detail {

/// A handler without its types: encoded arguments in, encoded result out. One of the two functions is set.
struct handler {
  std::function<awaitable<std::string>(context&, std::string_view arguments)> on_loop;
  std::function<std::string(context&, std::string_view arguments)> on_thread;
  handler_options options;
  bool returns_nothing = false;
};

/// The arguments are not what the task takes: trying again can't help. (A decode_error may also be the
/// handler's own.)
struct bad_payload : decode_error {
  using decode_error::decode_error;
};

template <class T>
struct unwrap_awaitable {
  using type = T;
};
template <class T, class E>
struct unwrap_awaitable<boost::asio::awaitable<T, E>> {
  using type = T;
};

/// Calls `f` in the first of the forms that it has: with a context, with a stop_token, with the arguments
/// alone.
template <class F, class... Args>
decltype(auto) call_handler(F& f, context& ctx, std::tuple<Args...>& arguments) {
  return std::apply(
      [&](Args&... a) -> decltype(auto) {
        if constexpr (std::is_invocable_v<F&, context&, Args&&...>) {
          return f(ctx, std::move(a)...);
        } else if constexpr (std::is_invocable_v<F&, std::stop_token, Args&&...>) {
          return f(ctx.stop_token(), std::move(a)...);
        } else {
          return f(std::move(a)...);
        }
      },
      arguments);
}

template <class Task, class F>
struct handler_of;

template <class R, class... Args, class F>
struct handler_of<task<R(Args...)>, F> {
  using task_type = task<R(Args...)>;
  using arguments = typename task_type::arguments_type;
  using result = typename task_type::result_type;

  template <class... A>
  static constexpr bool callable =
      std::is_invocable_v<F&, context&, A&&...> || std::is_invocable_v<F&, std::stop_token, A&&...> ||
      std::is_invocable_v<F&, A&&...>;
  static_assert(callable<std::remove_cvref_t<Args>...>,
                "quarq: this handler can't be called with the parameters of its task: it must take them in "
                "order, after an "
                "optional quarq::context& or std::stop_token (see handler_of<task<signature>, handler> in "
                "this message)");
  static constexpr bool ok = callable<std::remove_cvref_t<Args>...>;

  static arguments decode(const task_type& what, std::string_view encoded) {
    try {
      return quarq::decode_arguments<arguments>(encoded, what.name(), what.parameters());
    } catch (const decode_error& e) {
      throw bad_payload(e.what());
    }
  }

  static std::string call_plain(F& f, const task_type& what, context& ctx, std::string_view encoded) {
    auto values = decode(what, encoded);
    if constexpr (std::is_void_v<result>) {
      call_handler(f, ctx, values);
      return to_msgpack(std::monostate{});
    } else {
      return to_msgpack<result>(call_handler(f, ctx, values));
    }
  }

  static awaitable<std::string> call_coroutine(F& f, const task_type& what, context& ctx,
                                               std::string_view encoded) {
    auto values = decode(what, encoded);
    auto work = call_handler(f, ctx, values);
    if constexpr (std::is_void_v<result>) {
      co_await std::move(work);
      co_return to_msgpack(std::monostate{});
    } else {
      const result value = co_await std::move(work);
      co_return to_msgpack<result>(value);
    }
  }
};

template <class R, class... Args, class F>
handler make_handler(const task<R(Args...)>& what, F f, handler_options options) {
  using traits = handler_of<task<R(Args...)>, F>;
  handler made;
  made.options = std::move(options);
  made.returns_nothing = std::is_void_v<typename traits::result>;
  if constexpr (traits::ok) {
    using given = decltype(call_handler(std::declval<F&>(), std::declval<context&>(),
                                        std::declval<typename traits::arguments&>()));
    using value = typename unwrap_awaitable<given>::type;
    constexpr bool result_fits =
        std::is_void_v<typename traits::result> || std::is_convertible_v<value, typename traits::result>;
    static_assert(result_fits, "quarq: this handler's result does not convert to the result of its task");
    if constexpr (result_fits && is_awaitable<given>) {
      made.on_loop = [f = std::make_shared<F>(std::move(f)), what](context& ctx, std::string_view encoded) {
        return traits::call_coroutine(*f, what, ctx, encoded);
      };
    } else if constexpr (result_fits) {
      made.on_thread = [f = std::make_shared<F>(std::move(f)), what](context& ctx, std::string_view encoded) {
        return traits::call_plain(*f, what, ctx, encoded);
      };
    }
  }
  return made;
}

}  // namespace detail
}  // namespace quarq
