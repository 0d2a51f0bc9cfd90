// A value kept as the events that make it up, for when it must be read before it is known what it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/msgpack.hpp>

namespace quarq::validation {

class builder;

/// One value, whole or on its way. Objects and arrays know where they end, so that looking for a member of an object does
/// not look into the members before it.
class tape {
 public:
  void begin_object() { open(operation::begin_object); }
  void end_object() { close(operation::end_object); }
  void begin_array() { open(operation::begin_array); }
  void end_array() { close(operation::end_array); }
  void key(std::string_view name) { put(operation::key, name); }
  void text(std::string_view value) { put(operation::text, value); }
  void binary(std::string_view value) { put(operation::binary, value); }
  /// A msgpack value that JSON does not have.
  void raw(std::string_view encoded) { put(operation::raw, encoded); }
  void integer(std::int64_t value) { put(operation::integer).number = static_cast<std::uint64_t>(value); }
  void unsigned_integer(std::uint64_t value) { put(operation::unsigned_integer).number = value; }
  void real(double value, std::string_view digits) {
    put(operation::real, digits);
    events_.back().fraction = value;
  }
  void boolean(bool value) { put(operation::boolean).number = value ? 1 : 0; }
  void null() { put(operation::null); }

  bool is_complete() const noexcept { return open_.empty() && !events_.empty(); }
  /// How many containers are open.
  std::size_t depth() const noexcept { return open_.size(); }

  /// Gives all events to `to`; false as soon as that does not want more. `position` is the event at hand.
  bool replay(builder& to, std::size_t& position) const;
  /// The text that the object at this event has under that name, or null.
  const std::string_view* find_text(std::size_t object, std::string_view name, std::string_view& found) const;
  /// As one msgpack value. REQUIRES: is_complete().
  void write(encoder& out) const;

 private:
  enum class operation : unsigned char {
    begin_object,
    end_object,
    begin_array,
    end_array,
    key,
    text,
    binary,
    raw,
    integer,
    unsigned_integer,
    real,
    boolean,
    null
  };
  struct event {
    operation what;
    std::uint64_t number = 0;  ///< of a begin: the event after its end; of text: where it begins
    std::size_t size = 0;      ///< of text: its bytes; of a begin: how many keys or elements
    double fraction = 0;
  };

  event& put(operation what);
  void put(operation what, std::string_view text);
  void open(operation what);
  void close(operation what);
  std::string_view text_of(const event& e) const {
    return std::string_view(text_).substr(static_cast<std::size_t>(e.number), e.size);
  }
  /// The event after the value at `i`.
  std::size_t after(std::size_t i) const;

  std::vector<event> events_;
  std::vector<std::size_t> open_;
  std::string text_;
};

}  // namespace quarq::validation
