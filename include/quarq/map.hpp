// The same work for every element of a range, a limited number at a time: options and progress of map().
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>

namespace quarq {

/// How far a map has come.
struct progress {
  std::size_t done = 0;              ///< elements whose work has ended, with a value or with an exception
  std::size_t failed = 0;            ///< those of them that ended with an exception
  std::optional<std::size_t> total;  ///< nullopt: the size of the range is not known before its end
  std::chrono::nanoseconds elapsed{0};
  /// The sum of the fractions that the elements under way have done. On machines, where each handler says by
  /// context::progress() how far it is; elsewhere 0.
  double under_way = 0;
};

/// `threads.map(f, pages, {.max_concurrency = 20})`.
struct map_options {
  /// How many elements may be in progress at a time, at least 1. By default default_max_concurrency() of
  /// where the map runs.
  std::optional<std::size_t> max_concurrency;
};
// A temporary one in an expression with co_await is safe with every compiler: see detail/named_argument.hpp.
static_assert(std::is_trivially_destructible_v<map_options>);

namespace detail {

template <class Where, class What, class Range, bool Collect>
class map_work;
struct no_progress {};

/// Base class of coroutines, thread_pool, process_pool and machines: adds the maps to a Where that has run()
/// const and default_max_concurrency() const.
template <class Where>
class maps {
 public:
  /// Runs what(element) for each element, and returns the values as a vector in the order of the range (void
  /// if they are void). `what` is anything that Where::run takes; it is copied for each element, which must
  /// convert to its parameter. As soon as the work of one element has ended, the next one starts.
  ///
  /// The first exception cancels all work in progress, and is thrown when it has ended; no more is started.
  /// The same happens when the caller is cancelled.
  ///
  /// `range` is any input range. A container given by value (std::move) is kept, and its elements are moved;
  /// a container given by reference must live until the map has ended, and its elements are copied. A view or
  /// generator is read as the work proceeds, one element at a time, on the awaiting loop.
  ///
  /// `on_progress(progress)` is called each time the work of an element has ended, and on machines also when
  /// under_way has changed, on the awaiting loop: it must not block. If it throws, the map fails with its
  /// exception. It is destroyed when the map has ended.
  ///
  /// Throws usage_error for a max_concurrency of 0.
  template <class What, class Range, class Progress = no_progress>
    requires std::ranges::input_range<Range>
  [[QUARQ_MUST_AWAIT]] auto map(What&& what, Range&& range, map_options options = {},
                                Progress&& on_progress = {}) const {
    return start<false>(std::forward<What>(what), std::forward<Range>(range), options,
                        std::forward<Progress>(on_progress));
  }

  /// The same, but an exception is an outcome like a value and stops nothing: returns a vector of outcome<R>.
  /// Only cancellation of the caller, or an exception of the range or of on_progress, ends the map early.
  template <class What, class Range, class Progress = no_progress>
    requires std::ranges::input_range<Range>
  [[QUARQ_MUST_AWAIT]] auto map_outcomes(What&& what, Range&& range, map_options options = {},
                                         Progress&& on_progress = {}) const {
    return start<true>(std::forward<What>(what), std::forward<Range>(range), options,
                       std::forward<Progress>(on_progress));
  }

 private:
  template <bool Collect, class What, class Range, class Progress>
  auto start(What&& what, Range&& range, map_options options, Progress&& on_progress) const {
    QUARQ_REQUIRE_NAMED_ARGUMENT(What);
    QUARQ_REQUIRE_NAMED_ARGUMENT(Range);
    QUARQ_REQUIRE_NAMED_ARGUMENT(Progress);
    static_assert(std::is_same_v<Progress, no_progress> || std::is_invocable_v<Progress&, const progress&>,
                  "quarq: the progress callback of a map is called with a const quarq::progress&");
    using work = map_work<Where, std::decay_t<What>, Range, Collect>;
    return work::run(std::make_shared<work>(static_cast<const Where&>(*this), std::forward<What>(what),
                                            std::forward<Range>(range), options,
                                            std::forward<Progress>(on_progress)));
  }
};

}  // namespace detail
}  // namespace quarq

#include <quarq/detail/map_impl.hpp>
