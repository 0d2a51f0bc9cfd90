// What the handlers of a loop run for, such as a job. An executor carries it from a coroutine to all that this
// coroutine awaits and spawns.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include "async/loop_lifetime.hpp"

namespace quarq::async {

class activities;

/// Names one activity of a loop, or none. May be held after its end, but not for longer than the loop exists.
class activity {
 public:
  constexpr activity() = default;

  /// What `activities::begin` was given; null if there is no activity, or if it has ended.
  const void* subject() const noexcept {
    return slot_ != nullptr && slot_->generation == generation_ ? slot_->subject : nullptr;
  }
  friend bool operator==(const activity&, const activity&) noexcept = default;

 private:
  friend class activities;
  friend class activity_scope;

  // One that ended leaves its slot to another, which has the next generation. A slot is freed with its loop.
  struct slot {
    activities* of = nullptr;
    const void* subject = nullptr;
    std::uint64_t generation = 0;
  };
  constexpr activity(const slot* where, std::uint64_t generation) noexcept
      : slot_(where), generation_(generation) {}

  const slot* slot_ = nullptr;
  std::uint64_t generation_ = 0;
};

/// The activities of one loop. Thread safety: observe() may be called by any thread, the others by the loop's.
class activities final : public loop_guest {
 public:
  /// Those of this loop, which all its users share.
  static std::shared_ptr<activities> of(const boost::asio::any_io_executor& loop);

  explicit activities(boost::asio::execution_context&) {}
  activities(const activities&) = delete;
  activities& operator=(const activities&) = delete;

  /// The subject must exist until end().
  activity begin(const void* subject);
  void end(const activity& what) noexcept;

  /// Calls f with the subject for which the loop runs a handler at this moment, or null, and with a number that
  /// differs when the loop has begun or ended such a handler meanwhile. The subject does not end before f returns.
  template <class F>
  void observe(F f) const {
    const std::lock_guard lock(mutex_);
    const auto* const now = running_.load(std::memory_order_acquire);
    f(now != nullptr ? now->subject : nullptr, switches_.load(std::memory_order_relaxed));
  }

  void loop_destroyed() noexcept override {}

 private:
  friend class activity_scope;
  void set_running(const activity::slot* now) noexcept {
    running_.store(now, std::memory_order_release);
    switches_.store(switches_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  mutable std::mutex mutex_;  ///< guards what slots hold, against observe()
  std::deque<activity::slot> slots_;
  std::vector<activity::slot*> free_;
  std::atomic<const activity::slot*> running_{nullptr};
  std::atomic<std::uint64_t> switches_{0};
};

/// An activity that ends with this object.
class owned_activity {
 public:
  owned_activity() = default;
  owned_activity(std::shared_ptr<activities> of, const void* subject)
      : of_(std::move(of)), what_(of_->begin(subject)) {}
  owned_activity(const owned_activity&) = delete;
  owned_activity& operator=(const owned_activity&) = delete;
  ~owned_activity() {
    if (of_) of_->end(what_);
  }

  explicit operator bool() const noexcept { return of_ != nullptr; }
  const activity& get() const noexcept { return what_; }
  void begin(std::shared_ptr<activities> of, const void* subject) {
    what_ = of->begin(subject);
    of_ = std::move(of);
  }

 private:
  std::shared_ptr<activities> of_;
  activity what_;
};

/// While it exists, this thread works for an activity. They nest; one of `none` changes nothing.
class activity_scope {
 public:
  explicit activity_scope(const activity& what) noexcept : outer_(here_), inner_(what) {
    if (inner_.slot_ == nullptr) return;
    here_ = inner_;
    inner_.slot_->of->set_running(inner_.subject() != nullptr ? inner_.slot_ : nullptr);
  }
  ~activity_scope() {
    if (inner_.slot_ == nullptr) return;
    here_ = outer_;
    auto* const loop = inner_.slot_->of;
    const bool was_on_this_loop = outer_.subject() != nullptr && outer_.slot_->of == loop;
    loop->set_running(was_on_this_loop ? outer_.slot_ : nullptr);
  }
  activity_scope(const activity_scope&) = delete;
  activity_scope& operator=(const activity_scope&) = delete;

  /// That of this thread now.
  static const activity& here() noexcept { return here_; }

 private:
  static inline thread_local constinit activity here_{};

  const activity outer_, inner_;
};

/// Runs functions where Inner does, within an activity. It has the properties that Inner has. Two are equal if
/// their inner executors and their activities are.
template <class Inner>
class activity_executor {
 public:
  activity_executor(Inner inner, const activity& what) noexcept : inner_(std::move(inner)), what_(what) {}

  const Inner& inner() const noexcept { return inner_; }
  const activity& what() const noexcept { return what_; }

  template <class F>
  void execute(F&& f) const {
    inner_.execute(within<std::decay_t<F>>(what_, std::forward<F>(f)));
  }

  template <class Property>
    requires boost::asio::can_query<const Inner&, Property>::value
  decltype(auto) query(const Property& p) const
      noexcept(boost::asio::is_nothrow_query<const Inner&, Property>::value) {
    return boost::asio::query(inner_, p);
  }
  template <class Property>
    requires boost::asio::can_require<const Inner&, Property>::value
  auto require(const Property& p) const {
    return with(boost::asio::require(inner_, p));
  }
  template <class Property>
    requires boost::asio::can_prefer<const Inner&, Property>::value
  auto prefer(const Property& p) const {
    return with(boost::asio::prefer(inner_, p));
  }

  friend bool operator==(const activity_executor& a, const activity_executor& b) noexcept {
    return a.inner_ == b.inner_ && a.what_ == b.what_;
  }
  friend bool operator!=(const activity_executor& a, const activity_executor& b) noexcept {
    return !(a == b);
  }

 private:
  template <class F>
  class within {
   public:
    template <class G>
    within(const activity& what, G&& f) : what_(what), f_(std::forward<G>(f)) {}
    void operator()() {
      const activity_scope scope(what_);
      f_();
    }

   private:
    activity what_;
    F f_;
  };

  template <class Changed>
  activity_executor<std::decay_t<Changed>> with(Changed&& inner) const {
    return {std::forward<Changed>(inner), what_};
  }

  Inner inner_;
  activity what_;
};

using loop_executor = boost::asio::io_context::executor_type;
// any_io_executor keeps it in place, without an allocation.
static_assert(sizeof(activity_executor<loop_executor>) <= 3 * sizeof(void*));

/// The loop's own executor, with or without an activity; null: a strand, or any other that decides by itself
/// where a handler runs.
const loop_executor* loop_itself(const boost::asio::any_io_executor& executor) noexcept;

/// The same executor within an activity, in place of the one that it may have had.
boost::asio::any_io_executor with_activity(const boost::asio::any_io_executor& executor,
                                           const activity& what);
/// For what a coroutine opens and others will use, such as a connection.
boost::asio::any_io_executor without_activity(const boost::asio::any_io_executor& executor);
/// None, if it has none.
activity activity_of(const boost::asio::any_io_executor& executor) noexcept;

/// Calls a completion handler on its loop's thread, within the activity of its executor.
template <class Handler, class... Args>
void complete_in_activity(Handler handler, Args&&... args) {
  const boost::asio::any_io_executor its = boost::asio::get_associated_executor(handler);
  const activity_scope scope(activity_of(its));
  std::move(handler)(std::forward<Args>(args)...);
}

}  // namespace quarq::async
