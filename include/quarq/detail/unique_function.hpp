// A function without arguments that is called once: what the queues of a thread_pool hold.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::detail {

/// A function with this marker does not count against the limit of the queue it waits in.
template <class F>
concept exempt_from_limit = requires { typename F::exempt_from_limit; };

/// Move-only. A function of up to inline_capacity bytes is stored in place, not on the heap. Calling it also
/// destroys it.
class unique_function {
 public:
  static constexpr std::size_t inline_capacity = 40;

  unique_function() noexcept = default;
  template <class F>
    requires (!std::is_same_v<std::decay_t<F>, unique_function>)
  explicit unique_function(F&& f) {
    using function = std::decay_t<F>;
    if constexpr (is_small<function>) {
      ::new (static_cast<void*>(storage_)) function(std::forward<F>(f));
      operations_ = &operations_of<function>;
    } else {
      ::new (static_cast<void*>(storage_)) on_heap<function>(std::forward<F>(f));
      operations_ = &operations_of<on_heap<function>>;
    }
  }
  unique_function(unique_function&& other) noexcept { take_from(other); }
  unique_function& operator=(unique_function&& other) noexcept {
    if (this != &other) {
      reset();
      take_from(other);
    }
    return *this;
  }
  ~unique_function() { reset(); }

  explicit operator bool() const noexcept { return operations_ != nullptr; }
  /// Whether it counts against max_queued while it waits in a queue.
  bool counts_against_limit() const noexcept { return operations_->counts_against_limit; }
  /// Calls and destroys it. Calls std::terminate if the function throws.
  void operator()() noexcept { std::exchange(operations_, nullptr)->run(storage_); }

 private:
  struct operations {
    void (*run)(void*);
    void (*move)(void* from, void* to) noexcept;  ///< null: the bytes are copied
    void (*destroy)(void*) noexcept;              ///< null: there is nothing to do
    bool counts_against_limit;
  };

  template <class F>
  struct on_heap {
    template <class G>
      requires (!std::is_same_v<std::decay_t<G>, on_heap>)
    explicit on_heap(G&& g) : f(std::make_unique<F>(std::forward<G>(g))) {}
    void operator()() { std::invoke(std::move(*f)); }
    std::unique_ptr<F> f;
  };

  template <class F>
  static constexpr bool is_small = sizeof(F) <= inline_capacity && alignof(F) <= alignof(std::max_align_t) &&
                                   std::is_nothrow_move_constructible_v<F>;

  template <class F>
  static void run_as(void* at) {
    struct destroyed {
      ~destroyed() { f.~F(); }
      F& f;
    } call{*static_cast<F*>(at)};
    std::invoke(std::move(call.f));
  }
  template <class F>
  static void move_as(void* from, void* to) noexcept {
    ::new (to) F(std::move(*static_cast<F*>(from)));
    static_cast<F*>(from)->~F();
  }
  template <class F>
  static void destroy_as(void* at) noexcept {
    static_cast<F*>(at)->~F();
  }

  template <class F>
  static constexpr operations operations_of{run_as<F>, std::is_trivially_copyable_v<F> ? nullptr : move_as<F>,
                                            std::is_trivially_destructible_v<F> ? nullptr : destroy_as<F>,
                                            !exempt_from_limit<F>};

  void take_from(unique_function& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (!operations_) return;
    if (operations_->move) {
      operations_->move(other.storage_, storage_);
    } else {
      std::memcpy(storage_, other.storage_, inline_capacity);
    }
  }
  void reset() noexcept {
    const auto old = std::exchange(operations_, nullptr);
    if (old && old->destroy) old->destroy(storage_);
  }

  alignas(std::max_align_t) std::byte storage_[inline_capacity];
  const operations* operations_ = nullptr;
};

}  // namespace quarq::detail
