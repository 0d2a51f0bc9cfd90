// The machinery of map(), included by map.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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
#include <quarq/map.hpp>
#include <quarq/outcome.hpp>

namespace quarq::detail {

/// The progress callback of a map, which may be empty.
class progress_callback {
 public:
  explicit progress_callback(no_progress) {}
  template <class F>
    requires std::is_invocable_v<F&, const progress&>
  explicit progress_callback(F&& f) : call_(std::forward<F>(f)) {}

  explicit operator bool() const noexcept { return call_ != nullptr; }
  void operator()(const progress& p) const { call_(p); }

 private:
  std::function<void(const progress&)> call_;
};

/// A map without its types. The work is done by map workers: coroutines, each of which takes element after
/// element.
class map_impl {
 public:
  /// Throws usage_error for a max_concurrency of 0.
  map_impl(map_options options, std::size_t default_max_concurrency, std::optional<std::size_t> total,
           progress_callback on_progress);
  virtual ~map_impl() = default;
  map_impl(const map_impl&) = delete;
  map_impl& operator=(const map_impl&) = delete;

 protected:
  /// Takes an element and makes the worker that begins with it; invalid if there is none.
  virtual awaitable<void> next_worker() = 0;
  /// Runs workers until there are no more elements. The first exception of one cancels the others, and is
  /// thrown when all have ended.
  static awaitable<void> run_workers(std::shared_ptr<map_impl> self);

  /// No more elements are to be taken.
  bool stopped() const noexcept { return stopped_; }
  void stop() noexcept { stopped_ = true; }
  /// A worker found the map stopped before the end of the range.
  void cut_short() noexcept { cut_short_ = true; }
  /// Whether somebody wants to know how far the map is.
  bool reports() const noexcept { return static_cast<bool>(on_progress_); }
  /// The work of one element under way has come so far. `fraction`: as which it is counted, at first 0. Throws
  /// what the callback throws.
  void advance(double& fraction, std::uint64_t done, std::uint64_t total);
  /// It is not under way any more.
  void forget(double fraction) noexcept { progress_.under_way -= fraction; }
  /// The work of one element has ended.
  void count(bool failed);
  /// Elements have been worked on for so long without a wait that the loop should do its other work.
  bool turn_is_over() const noexcept { return std::chrono::steady_clock::now() >= turn_ends_; }
  static awaitable<void> next_turn(map_impl* self);
  std::optional<std::size_t> total() const noexcept { return progress_.total; }

 private:
  struct worker_set;
  void report();

  const std::size_t max_concurrency_;
  const progress_callback on_progress_;
  progress progress_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point turn_ends_;
  bool stopped_ = false;
  bool cut_short_ = false;
  std::exception_ptr callback_failure_;  // of an element under way, whose work throws it later
};

/// `Range` is a reference if the range is the caller's. `Collect`: keeps every outcome, instead of values and
/// the first failure.
template <class Where, class What, class Range, bool Collect>
class map_work final : public map_impl {
 public:
  using element = std::ranges::range_value_t<Range>;
  using value = typename awaited<decltype(std::declval<const Where&>().run(std::declval<What&>(),
                                                                           std::declval<element>()))>::type;
  using kept = std::conditional_t<Collect, outcome<value>, typename outcome<value>::value_type>;
  static constexpr bool keeps = Collect || !std::is_void_v<value>;
  using result = std::conditional_t<keeps, std::vector<kept>, void>;

  template <class R, class Progress>
  map_work(const Where& where, What what, R&& range, map_options options, Progress&& on_progress)
      : map_impl(options, static_cast<std::size_t>(where.default_max_concurrency()), size_of(range),
                 progress_callback(std::forward<Progress>(on_progress))),
        where_(where),
        what_(std::move(what)),
        range_(std::forward<R>(range)) {}

  static awaitable<result> run(std::shared_ptr<map_work> self) {
    std::shared_ptr<map_impl> untyped = self;
    if constexpr (keeps) self->slots_.reserve(self->total().value_or(0));
    co_await run_workers(std::move(untyped));
    if constexpr (keeps) {
      std::vector<kept> all;
      all.reserve(self->slots_.size());
      for (auto& slot : self->slots_) all.push_back(std::move(*slot));
      co_return all;
    }
  }

 private:
  // A copyable level may be a temporary in the caller's expression; a pool can't be copied.
  using stored_where = std::conditional_t<std::is_copy_constructible_v<Where>, Where, const Where&>;
  static constexpr bool owns_elements = !std::is_reference_v<Range> && !std::ranges::view<Range>;

  template <class R>
  static std::optional<std::size_t> size_of(R& range) {
    if constexpr (std::ranges::sized_range<R&>) {
      return static_cast<std::size_t>(std::ranges::size(range));
    } else {
      return std::nullopt;
    }
  }

  awaitable<void> next_worker() override {
    std::optional<element> item;
    const std::size_t index = taken_;
    if (!take(item)) return {};
    return map_worker(this, std::move(item), index);
  }

  // The iterator is advanced only when the next element is needed: reading the range may take time.
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

  auto start_work(element&& item, double& fraction) {
    [[maybe_unused]] const auto hear = [this, &fraction](const auto& said) {
      this->advance(fraction, said.done, said.total);
    };
    if constexpr (requires { where_.with_progress(hear); }) {
      if (this->reports()) return where_.with_progress(hear).run(what_, std::move(item));
    }
    return where_.run(what_, std::move(item));
  }

  // run_workers holds this map until its workers have ended.
  static awaitable<void> map_worker(map_work* self, std::optional<element> item, std::size_t index) {
    while (item) {
      const bool pauses = self->turn_is_over();
      if (pauses) co_await next_turn(self);
      std::exception_ptr failure;
      double fraction = 0;
      try {
        auto work = self->start_work(std::move(*item), fraction);
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
      self->forget(fraction);
      if (failure) {
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        const bool from_work = state.cancelled() == boost::asio::cancellation_type::none;
        self->handle_failure(index, failure, from_work);
      }
      self->count(failure != nullptr);
      index = self->taken_;
      self->take(item);
    }
  }

  // An element's work has failed, by itself or (not from_work) by cancellation. Throws unless the map goes
  // on.
  void handle_failure(std::size_t index, const std::exception_ptr& failure, bool from_work) {
    if constexpr (Collect) {
      if (from_work && !stopped()) {
        slots_[index].emplace(failure);
        return;
      }
    }
    if (from_work && !stopped()) {
      try {
        count(true);
      } catch (...) {
        // The map fails anyway, for the earlier reason.
      }
    }
    stop();
    std::rethrow_exception(failure);
  }

  stored_where where_;
  What what_;
  Range range_;
  std::optional<std::ranges::iterator_t<Range>> at_;
  std::size_t taken_ = 0;
  bool exhausted_ = false;
  struct nothing {};
  [[no_unique_address]] std::conditional_t<keeps, std::vector<std::optional<kept>>, nothing> slots_;
};

}  // namespace quarq::detail
