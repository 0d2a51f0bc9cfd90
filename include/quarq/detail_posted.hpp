// A function without arguments that is called once: what the queues of a thread_pool hold.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace quarq::detail {

/// A function that does not count against a queue's limit by standing in it.
template <class F>
concept holds_no_place = requires { typename F::holds_no_place; };

/// Move-only; a small function is kept in place, so that it is not allocated. A call of it destroys it.
class posted {
 public:
  static constexpr std::size_t room = 40;

  posted() noexcept = default;
  template <class F>
    requires (!std::is_same_v<std::decay_t<F>, posted>)
  explicit posted(F&& f) {
    using function = std::decay_t<F>;
    if constexpr (is_small<function>) {
      ::new (static_cast<void*>(room_)) function(std::forward<F>(f));
      kind_ = &kind_of<function>;
    } else {
      ::new (static_cast<void*>(room_)) on_heap<function>(std::forward<F>(f));
      kind_ = &kind_of<on_heap<function>>;
    }
  }
  posted(posted&& other) noexcept { take(other); }
  posted& operator=(posted&& other) noexcept {
    if (this != &other) {
      drop();
      take(other);
    }
    return *this;
  }
  ~posted() { drop(); }

  explicit operator bool() const noexcept { return kind_ != nullptr; }
  /// Whether it counts for max_queued by standing in the queue.
  bool holds_place() const noexcept { return kind_->holds_place; }
  /// Calls and destroys it. What the function throws ends the program.
  void operator()() noexcept { std::exchange(kind_, nullptr)->run(room_); }

 private:
  struct kind {
    void (*run)(void*);
    void (*move)(void* from, void* to) noexcept;  ///< null: the bytes are copied
    void (*drop)(void*) noexcept;                 ///< null: there is nothing to do
    bool holds_place;
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
  static constexpr bool is_small =
      sizeof(F) <= room && alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

  template <class F>
  static void run_as(void* at) {
    struct destroyed {
      ~destroyed() { f.~F(); }
      F& f;
    } one{*static_cast<F*>(at)};
    std::invoke(std::move(one.f));
  }
  template <class F>
  static void move_as(void* from, void* to) noexcept {
    ::new (to) F(std::move(*static_cast<F*>(from)));
    static_cast<F*>(from)->~F();
  }
  template <class F>
  static void drop_as(void* at) noexcept {
    static_cast<F*>(at)->~F();
  }

  template <class F>
  static constexpr kind kind_of{run_as<F>, std::is_trivially_copyable_v<F> ? nullptr : move_as<F>,
                                std::is_trivially_destructible_v<F> ? nullptr : drop_as<F>,
                                !holds_no_place<F>};

  void take(posted& other) noexcept {
    kind_ = std::exchange(other.kind_, nullptr);
    if (!kind_) return;
    if (kind_->move) {
      kind_->move(other.room_, room_);
    } else {
      std::memcpy(room_, other.room_, room);
    }
  }
  void drop() noexcept {
    const auto was = std::exchange(kind_, nullptr);
    if (was && was->drop) was->drop(room_);
  }

  alignas(std::max_align_t) std::byte room_[room];
  const kind* kind_ = nullptr;
};

}  // namespace quarq::detail
