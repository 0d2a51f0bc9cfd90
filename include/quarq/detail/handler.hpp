// Turns a function into the handler of a task: encoded arguments in, encoded result out.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/codec.hpp>
#include <quarq/context.hpp>
#include <quarq/detail/holds_secret.hpp>
#include <quarq/detail/process_target.hpp>
#include <quarq/handler.hpp>
#include <quarq/level.hpp>
#include <quarq/run.hpp>
#include <quarq/task.hpp>

namespace quarq::detail {

/// A handler without its types: encoded arguments in, encoded result out. One of the three is set.
struct handler {
  std::function<awaitable<std::string>(context&, std::string_view arguments)> on_loop;
  std::function<std::string(context&, std::string_view arguments)> on_thread;
  std::optional<process_target> in_process;
  handler_options options;
  bool returns_void = false;
  /// For arguments given by name; the names are empty if the task was declared without.
  std::size_t parameter_count = 0;
  std::vector<std::string> parameter_names;
  /// Those that hold a quarq::secret are not logged.
  std::vector<bool> secret_parameters;
  bool has_secret_result = false;
};

/// Throws usage_error if the options don't go together.
void check_options(std::string_view task, const handler_options& options);

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
  static_assert(
      callable<std::remove_cvref_t<Args>...>,
      "quarq: this handler can't be called with the parameters of its task: it must take them in "
      "order, after an optional quarq::context& or std::stop_token (see handler_of<task<signature>, "
      "handler> in this message)");
  static constexpr bool ok = callable<std::remove_cvref_t<Args>...>;

  static arguments decode(const task_type& what, std::string_view encoded) {
    try {
      return what.decode(encoded);
    } catch (const decode_error& e) {
      throw bad_payload(e);
    }
  }

  static auto returns() {
    if constexpr (ok) {
      using type =
          decltype(call_handler(std::declval<F&>(), std::declval<context&>(), std::declval<arguments&>()));
      return std::type_identity<type>();
    } else {
      return std::type_identity<void>();
    }
  }
  using returned = typename decltype(returns())::type;
  using value = typename awaited<returned>::type;
  static constexpr bool is_coroutine = is_awaitable<returned>;
  static constexpr bool result_fits = std::is_void_v<result> || std::is_convertible_v<value, result>;

  /// On the loop that awaits it; a plain function blocks that.
  static awaitable<std::string> call_on_loop(F& f, const task_type& what, context& ctx,
                                             std::string_view encoded) {
    auto values = decode(what, encoded);
    if constexpr (!is_coroutine) {
      co_return encode_result([&]() -> decltype(auto) { return call_handler(f, ctx, values); });
    } else if constexpr (std::is_void_v<result>) {
      auto work = call_handler(f, ctx, values);
      co_await std::move(work);
      co_return to_msgpack(std::monostate{});
    } else {
      auto work = call_handler(f, ctx, values);
      const result value = co_await std::move(work);
      co_return to_msgpack<result>(value);
    }
  }

  /// On this thread; a coroutine gets a loop of its own here.
  static std::string call_here(F& f, const task_type& what, context& ctx, std::string_view encoded) {
    if constexpr (is_coroutine) {
      std::optional<std::string> encoded_result;
      run_loop(store(call_on_loop(f, what, ctx, encoded), encoded_result), ctx.stop_token());
      return std::move(*encoded_result);
    } else {
      auto values = decode(what, encoded);
      return encode_result([&]() -> decltype(auto) { return call_handler(f, ctx, values); });
    }
  }

  template <class Call>
  static std::string encode_result(Call call) {
    if constexpr (std::is_void_v<result>) {
      call();
      return to_msgpack(std::monostate{});
    } else {
      return to_msgpack<result>(call());
    }
  }
};

template <class R, class... Args, class F>
handler make_handler(const task<R(Args...)>& what, F f, handler_options options) {
  using traits = handler_of<task<R(Args...)>, F>;
  handler made;
  made.returns_void = std::is_void_v<typename traits::result>;
  made.parameter_count = sizeof...(Args);
  made.secret_parameters = {holds_secret<std::remove_cvref_t<Args>>()...};
  made.has_secret_result = holds_secret<typename traits::result>();
  made.parameter_names.assign(what.parameters().begin(), what.parameters().end());
  if constexpr (traits::ok) {
    static_assert(traits::result_fits,
                  "quarq: this handler's result does not convert to the result of its task");
    if constexpr (traits::result_fits) {
      const level where = options.on.value_or(traits::is_coroutine ? level::loop : level::thread);
      const auto shared = std::make_shared<F>(std::move(f));
      if (where == level::loop) {
        made.on_loop = [shared, what](context& ctx, std::string_view encoded) {
          return traits::call_on_loop(*shared, what, ctx, encoded);
        };
      } else if (where == level::thread) {
        made.on_thread = [shared, what](context& ctx, std::string_view encoded) {
          return traits::call_here(*shared, what, ctx, encoded);
        };
      }
    }
  }
  made.options = std::move(options);
  return made;
}

}  // namespace quarq::detail
