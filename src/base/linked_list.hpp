// A list through its elements: adding and removing one costs the same however long the list is.
#pragma once

#include <utility>

#include "base/assert.hpp"

namespace quarq::base {

template <class T>
class linked_list;

/// Base of what can be in one linked_list<T> at a time.
template <class T>
class linked {
 protected:
  linked() = default;
  ~linked() = default;

 private:
  friend class linked_list<T>;
  T* previous_ = nullptr;
  T* next_ = nullptr;
};

/// Owns nothing.
template <class T>
class linked_list {
 public:
  linked_list() = default;
  linked_list(const linked_list&) = delete;
  linked_list& operator=(const linked_list&) = delete;

  bool empty() const noexcept { return !first_; }
  /// REQUIRES: !empty().
  T& front() const noexcept {
    QUARQ_ASSERT(first_);
    return *first_;
  }

  template <class F>
  bool any_of(F holds) const {
    for (T* one = first_; one; one = next_of(*one)) {
      if (holds(std::as_const(*one))) return true;
    }
    return false;
  }

  void push_back(T& one) noexcept {
    linked<T>& hook = one;
    hook.previous_ = last_;
    hook.next_ = nullptr;
    (last_ ? next_of(*last_) : first_) = &one;
    last_ = &one;
  }
  /// REQUIRES: `one` is in this list.
  void remove(T& one) noexcept {
    linked<T>& hook = one;
    (hook.previous_ ? next_of(*hook.previous_) : first_) = hook.next_;
    (hook.next_ ? previous_of(*hook.next_) : last_) = hook.previous_;
  }
  /// REQUIRES: !empty().
  T& pop_front() noexcept {
    T& one = front();
    remove(one);
    return one;
  }

 private:
  static T*& next_of(linked<T>& one) noexcept { return one.next_; }
  static T*& previous_of(linked<T>& one) noexcept { return one.previous_; }

  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace quarq::base
