// The header fields of a request or a response.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::http {

class message_parser;

/// One header field. The views are into the fields that it came from, until they are next changed.
struct field {
  std::string_view name;
  std::string_view value;
};

/// Header fields in their order. Names are compared without regard to ASCII case (RFC 9110, 5.1); a name may
/// occur several times. What could split a message is refused where it is set: add() and set() throw
/// quarq::usage_error for a name that is not a token, and for a value with CR, LF, NUL or another control
/// character except the tab. Spaces and tabs around a value are not part of it. Not safe for use by several
/// threads at once.
class fields {
 public:
  fields() = default;
  fields(std::initializer_list<field> list);

  /// Appends a field behind those that are there, also of the same name.
  void add(std::string_view name, std::string_view value);
  /// Replaces all fields of this name by one.
  void set(std::string_view name, std::string_view value);
  /// Removes all fields of this name, and returns how many there were.
  std::size_t erase(std::string_view name);
  void clear() noexcept;

  /// The value of the first field of this name.
  std::optional<std::string_view> find(std::string_view name) const;
  /// The same, or "" if there is none.
  std::string_view operator[](std::string_view name) const;
  bool contains(std::string_view name) const;
  /// The values of all fields of this name, in order.
  std::vector<std::string_view> find_all(std::string_view name) const;

  std::size_t size() const noexcept { return places_.size(); }
  bool empty() const noexcept { return places_.empty(); }
  field at(std::size_t index) const;

  class iterator {
   public:
    using value_type = field;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    iterator(const fields* of, std::size_t index) : of_(of), index_(index) {}
    field operator*() const { return of_->at(index_); }
    iterator& operator++() {
      ++index_;
      return *this;
    }
    iterator operator++(int) {
      auto before = *this;
      ++index_;
      return before;
    }
    friend bool operator==(const iterator&, const iterator&) = default;

   private:
    const fields* of_ = nullptr;
    std::size_t index_ = 0;
  };
  iterator begin() const { return {this, 0}; }
  iterator end() const { return {this, size()}; }

 private:
  friend class message_parser;
  /// REQUIRES: both have been checked, and are not views into this object.
  void append(std::string_view name, std::string_view value);
  bool is_own(std::string_view text) const noexcept;
  void reserve(std::size_t bytes, std::size_t count);

  // All names and values stand in one string: a message of twenty fields is read with two allocations.
  struct place {
    std::size_t name;
    std::size_t name_size;
    std::size_t value;
    std::size_t value_size;
  };
  std::string text_;
  std::vector<place> places_;
};

}  // namespace quarq::http
