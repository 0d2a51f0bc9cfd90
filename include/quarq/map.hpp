// The same work for every element of a range, so many at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/outcome.hpp>

namespace quarq {

/// How far a map has come.
struct progress {
  std::size_t done = 0;              ///< elements whose work has ended, with a value or with an exception
  std::size_t failed = 0;            ///< those of them with an exception
  std::optional<std::size_t> total;  ///< nothing: the range does not know its size before its end
  std::chrono::nanoseconds elapsed{0};
};

/// How a map goes about it; a value. `map(f, pages, at_once(20).on_progress(report))`.
class map_options {
 public:
  using callback = std::function<void(const progress&)>;

  map_options() = default;

  /// How many elements may be under way at a time. Without it, what suits the level (default_at_once of
  /// where it runs). Throws invalid_argument for 0.
  map_options& at_once(std::size_t max) &;
  map_options&& at_once(std::size_t max) && { return std::move(this->at_once(max)); }

  /// `report` is called each time the work of an element has ended, on the loop that awaits the map: it must
  /// not block. If it throws, the map fails with that. Destroyed when the map has ended.
  template <class F>
  map_options& on_progress(F&& report) & {
    QUARQ_REQUIRE_NAMED_ARGUMENT(F);
    report_ = std::forward<F>(report);
    return *this;
  }
  template <class F>
  map_options&& on_progress(F&& report) && {
    QUARQ_REQUIRE_NAMED_ARGUMENT(F);
    report_ = std::forward<F>(report);
    return std::move(*this);
  }

  std::optional<std::size_t> max_concurrency() const noexcept { return most_; }
  const callback& report() const noexcept { return report_; }

 private:
  std::optional<std::size_t> most_;
  callback report_;
};

/// The options with this many at once. Throws invalid_argument for 0.
map_options at_once(std::size_t max);

namespace detail {

/// A map without its types. Its work is done in lanes: coroutines, each of which takes element after element.
class map_core {
 public:
  map_core(map_options options, std::size_t usual_at_once, std::optional<std::size_t> total);
  virtual ~map_core() = default;
  map_core(const map_core&) = delete;
  map_core& operator=(const map_core&) = delete;

 protected:
  /// Takes an element and makes the lane that begins with it; invalid if there is none.
  virtual awaitable<void> next_lane() = 0;
  /// Runs lanes until there are no more elements. The first exception of one cancels the others, and is
  /// thrown when all have ended.
  static awaitable<void> run_lanes(std::shared_ptr<map_core> self);

  /// No more elements are to be taken.
  bool stopped() const noexcept { return stopped_; }
  void stop() noexcept { stopped_ = true; }
  /// A lane found the map stopped before the end of the range.
  void cut_short() noexcept { cut_short_ = true; }
  /// The work of one element has ended.
  void count(bool failed);
  std::optional<std::size_t> total() const noexcept { return so_far_.total; }

 private:
  struct lanes;

  map_options options_;
  std::size_t at_once_;
  progress so_far_;
  std::chrono::steady_clock::time_point started_;
  bool stopped_ = false;
  bool cut_short_ = false;
};

/// `Range` is a reference if the range is the caller's. `Collect`: every outcome, instead of values and the
/// first failure.
template <class Where, class What, class Range, bool Collect>
class map_work final : public map_core {
 public:
  using element = std::ranges::range_value_t<Range>;
  using value = typename awaited<decltype(std::declval<const Where&>().run(std::declval<What&>(),
                                                                           std::declval<element>()))>::type;
  using kept = std::conditional_t<Collect, outcome<value>, typename outcome<value>::value_type>;
  static constexpr bool keeps = Collect || !std::is_void_v<value>;
  using result = std::conditional_t<keeps, std::vector<kept>, void>;

  template <class R>
  map_work(const Where& where, What what, R&& range, map_options options)
      : map_core(std::move(options), static_cast<std::size_t>(where.default_at_once()), size_of(range)),
        where_(where),
        what_(std::move(what)),
        range_(std::forward<R>(range)) {}

  static awaitable<result> run(std::shared_ptr<map_work> self) {
    std::shared_ptr<map_core> core = self;
    if constexpr (keeps) self->slots_.reserve(self->total().value_or(0));
    co_await run_lanes(std::move(core));
    if constexpr (keeps) {
      std::vector<kept> all;
      all.reserve(self->slots_.size());
      for (auto& slot : self->slots_) all.push_back(std::move(*slot));
      co_return all;
    }
  }

 private:
  // What is cheap to copy may be a temporary in the caller's expression; a pool is not copied.
  using place = std::conditional_t<std::is_copy_constructible_v<Where>, Where, const Where&>;
  static constexpr bool owns_elements = !std::is_reference_v<Range> && !std::ranges::view<Range>;

  template <class R>
  static std::optional<std::size_t> size_of(R& range) {
    if constexpr (std::ranges::sized_range<R&>) {
      return static_cast<std::size_t>(std::ranges::size(range));
    } else {
      return std::nullopt;
    }
  }

  awaitable<void> next_lane() override {
    std::optional<element> item;
    const std::size_t index = taken_;
    if (!take(item)) return {};
    return lane(this, std::move(item), index);
  }

  // The element after the last one is reached for only now: the range may be a source that has to be waited
  // for.
  bool take(std::optional<element>& item) {
    item.reset();
    if (exhausted_ || (total() && taken_ == *total())) return false;
    if (stopped()) {
      cut_short();
      return false;
    }
    exhausted_ = true;  // should the range throw
    if (at_) {
      ++*at_;
    } else {
      at_.emplace(std::ranges::begin(range_));
    }
    exhausted_ = *at_ == std::ranges::end(range_);
    if (exhausted_) return false;
    if constexpr (owns_elements) {
      item.emplace(std::ranges::iter_move(*at_));
    } else {
      item.emplace(**at_);
    }
    ++taken_;
    if constexpr (keeps) slots_.emplace_back();
    return true;
  }

  // run_lanes holds this map until its lanes have ended.
  static awaitable<void> lane(map_work* self, std::optional<element> item, std::size_t index) {
    while (item) {
      std::exception_ptr failure;
      try {
        auto work = self->where_.run(self->what_, std::move(*item));
        if constexpr (std::is_void_v<value>) {
          co_await std::move(work);
          if constexpr (keeps) self->slots_[index].emplace(std::monostate());
        } else {
          auto got = co_await std::move(work);
          self->slots_[index].emplace(std::move(got));
        }
      } catch (...) {
        failure = std::current_exception();
      }
      if (failure) {
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        const bool is_answer = state.cancelled() == boost::asio::cancellation_type::none;
        self->fail(index, failure, is_answer);
      }
      self->count(failure != nullptr);
      index = self->taken_;
      self->take(item);
    }
  }

  // Throws unless the map goes on.
  void fail(std::size_t index, const std::exception_ptr& failure, bool is_answer) {
    if constexpr (Collect) {
      if (is_answer) {
        slots_[index].emplace(failure);
        return;
      }
    }
    if (is_answer && !stopped()) {
      try {
        count(true);
      } catch (...) {
        // The map fails anyway, and for the earlier reason.
      }
    }
    stop();
    std::rethrow_exception(failure);
  }

  place where_;
  What what_;
  Range range_;
  std::optional<std::ranges::iterator_t<Range>> at_;
  std::size_t taken_ = 0;
  bool exhausted_ = false;
  struct nothing {};
  [[no_unique_address]] std::conditional_t<keeps, std::vector<std::optional<kept>>, nothing> slots_;
};

/// Gives Where, which has run() const and default_at_once() const, its maps.
template <class Where>
class maps {
 public:
  /// Runs what(element) for each element, and returns the values as a vector in the order of the range
  /// (nothing if they are void). `what` is whatever Where::run takes, and is copied for each element, which
  /// must convert to its parameter. At most at_once elements are under way; the next one starts when one has
  /// ended.
  ///
  /// The first exception cancels those under way, and is thrown when all have ended; no other is started.
  /// So does the cancellation of the caller.
  ///
  /// `range` is any input range. Given by value (std::move), it is kept and its elements are moved; a
  /// container given by reference must live until the map has ended, and its elements are copied as they are
  /// sent. A view or generator is read as the work proceeds, one element a time, on the awaiting loop.
  template <class What, class Range>
    requires std::ranges::input_range<Range>
  auto map(What&& what, Range&& range, map_options options = {}) const {
    return start<false>(std::forward<What>(what), std::forward<Range>(range), std::move(options));
  }

  /// The same, but an exception is an outcome like a value and stops nothing: returns a vector of outcome<R>.
  /// Only the caller's cancellation, or an exception of the range or of the progress callback, ends it early.
  template <class What, class Range>
    requires std::ranges::input_range<Range>
  auto map_outcomes(What&& what, Range&& range, map_options options = {}) const {
    return start<true>(std::forward<What>(what), std::forward<Range>(range), std::move(options));
  }

 private:
  template <bool Collect, class What, class Range>
  auto start(What&& what, Range&& range, map_options options) const {
    QUARQ_REQUIRE_NAMED_ARGUMENT(What);
    QUARQ_REQUIRE_NAMED_ARGUMENT(Range);
    using work = map_work<Where, std::decay_t<What>, Range, Collect>;
    return work::run(std::make_shared<work>(static_cast<const Where&>(*this), std::forward<What>(what),
                                            std::forward<Range>(range), std::move(options)));
  }
};

}  // namespace detail
}  // namespace quarq
