// A task is a name and a signature, known to both sides; called with its arguments it is a value, a call.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quarq/codec.hpp>
#include <quarq/detail/fits.hpp>
#include <quarq/retention.hpp>
#include <quarq/retry.hpp>

namespace quarq {

namespace detail {

/// What a call sets for its own job. Empty: the task's handler decides.
struct call_options {
  std::optional<std::string> id;
  std::chrono::milliseconds delay{0};
  std::optional<std::chrono::system_clock::time_point> at;
  std::optional<std::chrono::milliseconds> expires;
  std::optional<int> priority;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<int> attempts;
  std::optional<retry_policy> backoff;
  std::optional<retention> keep_result;
  /// Somebody waits for the answer: see model::record.
  bool awaited = false;
};

/// Named so that the compiler's message tells which argument of which task is wrong.
template <class Task, std::size_t Number, class Given, class Expected>
struct argument {
  static_assert(fits<Given, Expected>,
                "quarq: an argument does not fit the signature of its task: this message names it as "
                "argument<task<signature>, number, type given, type expected>");
  static constexpr bool ok = fits<Given, Expected>;
};

/// The argument as its parameter's type, copied only where the types differ.
template <class Expected, class Given>
decltype(auto) as(Given& given) {
  if constexpr (std::is_same_v<std::remove_const_t<Given>, Expected>) {
    return static_cast<const Expected&>(given);
  } else {
    return static_cast<Expected>(given);
  }
}

}  // namespace detail

/// A task with its arguments: encoded once, a value. Store it, copy it, send it with queue::enqueue, one or a
/// vector of them. The setters may be chained: `count_words(url).delay(10s).id("page")`.
template <class R>
class call {
 public:
  using milliseconds = std::chrono::milliseconds;
  using result_type = R;

  call(std::string_view task, std::string arguments) : task_(task), arguments_(std::move(arguments)) {}

  /// Names the job, 1 to 255 bytes of UTF-8. While a job with this id lives, or its result is kept, another
  /// is refused (duplicate_job). Without it the job gets a fresh ULID.
  call& id(std::string id) & { return set(&detail::call_options::id, std::move(id)); }
  /// Not before this long from now, by the broker's clock.
  call& delay(milliseconds d) & { return set(&detail::call_options::delay, d); }
  /// Not before this moment, by the broker's clock. Replaces delay.
  call& at(std::chrono::system_clock::time_point when) & { return set(&detail::call_options::at, when); }
  /// If no worker has started it this long after it became due, it ends as expired.
  call& expires(milliseconds d) & { return set(&detail::call_options::expires, d); }
  /// 0 to 9; the highest is claimed first. Without it: 5.
  call& priority(int p) & { return set(&detail::call_options::priority, p); }
  /// How long one try may take, instead of the handler's limit.
  call& timeout(milliseconds d) & { return set(&detail::call_options::timeout, d); }
  /// How often it may be started, instead of the handler's limit. At least 1.
  call& attempts(int n) & { return set(&detail::call_options::attempts, n); }
  /// The pauses between tries, instead of the handler's; and how many tries, if the policy says so itself:
  /// backoff::constant(1s).tries(8).
  call& backoff(retry_policy p) & {
    if (p.sets_attempts()) attempts(p.max_attempts());
    return set(&detail::call_options::backoff, p);
  }
  /// How long the result can be looked up after the end, instead of the handler's time; 0: not at all; or
  /// forever.
  call& keep_result(retention d) & { return set(&detail::call_options::keep_result, d); }

  call&& id(std::string id) && { return std::move(this->id(std::move(id))); }
  call&& delay(milliseconds d) && { return std::move(this->delay(d)); }
  call&& at(std::chrono::system_clock::time_point when) && { return std::move(this->at(when)); }
  call&& expires(milliseconds d) && { return std::move(this->expires(d)); }
  call&& priority(int p) && { return std::move(this->priority(p)); }
  call&& timeout(milliseconds d) && { return std::move(this->timeout(d)); }
  call&& attempts(int n) && { return std::move(this->attempts(n)); }
  call&& backoff(retry_policy p) && { return std::move(this->backoff(p)); }
  call&& keep_result(retention d) && { return std::move(this->keep_result(d)); }

  const std::string& task() const noexcept { return task_; }
  /// A msgpack array.
  const std::string& arguments() const noexcept { return arguments_; }
  const detail::call_options& options() const noexcept { return options_; }

 private:
  template <class Member, class Value>
  call& set(Member detail::call_options::* member, Value&& value) {
    options_.*member = std::forward<Value>(value);
    return *this;
  }

  std::string task_;
  std::string arguments_;
  detail::call_options options_;
};

template <class Signature>
class task;

/// The name and the signature of work. Declared once, in a header that both sides include:
///
///     inline constexpr quarq::task<int(std::string url)> count_words{"count_words", "url"};
///
/// Calling it makes a call and does not run anything. The names of the parameters after the task's own name
/// are optional (all or none); they appear in error messages. All must be string literals or live as long as
/// the task.
template <class R, class... Args>
class task<R(Args...)> {
 public:
  using result_type = std::remove_cvref_t<R>;
  using arguments_type = std::tuple<std::remove_cvref_t<Args>...>;

  template <std::convertible_to<std::string_view>... Names>
    requires (sizeof...(Names) == 0 || sizeof...(Names) == sizeof...(Args))
  constexpr explicit task(std::string_view name, Names... parameters)
      : name_(name), parameters_{parameters...} {}

  /// Encodes the arguments. Every argument must convert to its parameter's type (a floating-point number does
  /// not to an integer).
  template <class... Given>
  call<result_type> operator()(Given&&... given) const {
    static_assert(sizeof...(Given) == sizeof...(Args),
                  "quarq: wrong number of arguments for this task: see its signature in this message");
    if constexpr (sizeof...(Given) == sizeof...(Args)) {
      return checked(std::index_sequence_for<Args...>{}, std::forward<Given>(given)...);
    }
  }

  /// The arguments of a call as it holds them, call::arguments(). Throws decode_error, which names the
  /// argument, if they are not what this task takes.
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
      return call<result_type>(name_, encode_arguments(detail::as<std::remove_cvref_t<Args>>(given)...));
    }
  }

  std::string_view name_;
  std::array<std::string_view, sizeof...(Args) == 0 ? 1 : sizeof...(Args)> parameters_;
};

}  // namespace quarq
