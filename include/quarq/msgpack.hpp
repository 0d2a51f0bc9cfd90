// Writes and reads msgpack, value by value: for codecs that are written by hand. Most programs need only
// <quarq/codec.hpp>, which does this for whole C++ types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

namespace detail {
class attachments;
}

/// What a msgpack value is. `timestamp` is extension type -1; `extension` is any other.
enum class value_type { nil, boolean, integer, real, text, binary, array, map, timestamp, extension };

/// "nil", "boolean", "integer", "real number", "string", "bytes", "array", "map", "timestamp", "extension":
/// the words of error messages.
std::string_view to_string(value_type type) noexcept;

/// A point in time as msgpack writes it, in UTC. Before 1970 seconds are negative; nanoseconds always count
/// forward.
struct timestamp {
  std::int64_t seconds = 0;       ///< whole seconds since 1970-01-01T00:00:00Z, rounded down
  std::uint32_t nanoseconds = 0;  ///< 0 to 999 999 999, added to the seconds
  friend bool operator==(const timestamp&, const timestamp&) = default;
};

/// An application-defined msgpack value. `data` is a view into what it was read from.
struct extension {
  std::int8_t type = 0;
  std::string_view data;
  friend bool operator==(const extension&, const extension&) = default;
};

/// Appends msgpack values to a string, each in its shortest form. The string must outlive the encoder.
///
/// REQUIRES: array(n) is followed by n values, map(n) by n keys and n values. This is not checked.
///
/// Throws quarq::usage_error for what msgpack can't hold: a length of 2^32 or more, text that is not UTF-8, a
/// timestamp with more than 999 999 999 nanoseconds. Not thread-safe.
class encoder {
 public:
  class scope;

  explicit encoder(std::string& out, detail::attachments* beside = nullptr) noexcept
      : out_(out), beside_(beside) {}

  void nil();
  void boolean(bool value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void real(double value);
  void real(float value);
  /// UTF-8 only; use binary() for other bytes.
  void text(std::string_view value);
  void binary(std::string_view value);
  void array(std::size_t count);
  void map(std::size_t count);
  void time(timestamp value);
  void extension(std::int8_t type, std::string_view data);
  /// An open file, socket or the like; the reader gets a duplicate of this descriptor. Throws
  /// quarq::usage_error anywhere but in a call to another process.
  void file(int descriptor);
  /// Appends values that are already encoded.
  void raw(std::string_view encoded);

 private:
  template <class Unsigned>
  void put(Unsigned value);
  template <class Unsigned>
  void head(unsigned char first, Unsigned value);
  void byte(int value) { out_ += static_cast<char>(value); }
  void length(std::size_t count, std::string_view of, int fixed, std::size_t fixed_count, int head8,
              int head16);
  void short_text(std::string_view value);
  bool put_beside(std::int8_t type, std::string_view value);

  std::string& out_;
  detail::attachments* beside_;
  int depth_ = 0;
};

/// One level of nesting while its elements are written. It refuses what no decoder would read: deeper nesting
/// than decoder::max_depth. Make one after array() or map():
///     out.array(items.size());
///     encoder::scope level(out);
///     for (const auto& item : items) quarq::encode(out, item);
class encoder::scope {
 public:
  /// Throws quarq::usage_error when decoder::max_depth scopes are alive already.
  explicit scope(encoder& out);
  ~scope() { --out_.depth_; }
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

 private:
  encoder& out_;
};

/// Reads msgpack values one after another, straight from `data`: nothing is copied, and every length is
/// checked against the bytes that are left, so that no input can crash it or make it allocate.
///
/// Each reader consumes one value, or throws quarq::decode_error and consumes nothing. The error reads
///     WHAT: PLACE: expected string, got integer
/// where WHAT is what the decoder was made with, and PLACE comes from the decoder::scope objects alive at
/// the time. `data` and `what` must outlive the decoder. Not thread-safe.
class decoder {
 public:
  class scope;
  /// How many scopes may be alive at once: deeper nesting is refused.
  static constexpr int max_depth = 64;

  explicit decoder(std::string_view data, std::string_view what = {},
                   detail::attachments* beside = nullptr) noexcept
      : data_(data), what_(what), beside_(beside) {}
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;

  /// The type of the next value, which stays unread and may still turn out to be cut off.
  value_type peek();
  bool at_end() const noexcept { return position_ == data_.size(); }
  /// How many bytes have been read.
  std::size_t position() const noexcept { return position_; }
  /// Throws if anything is left over after the last value.
  void finish();

  void nil();
  /// Reads the next value only if it is nil, and says whether it was.
  bool try_nil() noexcept;
  bool boolean();
  std::int64_t integer(std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t max = std::numeric_limits<std::int64_t>::max());
  std::uint64_t unsigned_integer(std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
  /// A real number, an integer, or one of the strings "NaN", "Infinity" and "-Infinity", as JSON needs them.
  double real();
  /// Text, checked to be UTF-8; a view into the data.
  std::string_view text();
  /// Bytes, or text taken as bytes without a check; a view into the data.
  std::string_view binary();
  /// The number of elements, which follow. Never more than there are bytes left.
  std::size_t array();
  /// The same, refusing any other number of elements.
  void array(std::size_t count);
  /// The number of entries; a key and a value follow for each. Never more than half the bytes left.
  std::size_t map();
  /// A timestamp, or text in ISO 8601 with its zone: "2019-03-01T12:00:00.25Z", "2019-03-01T12:00+01:00".
  timestamp time();
  quarq::extension extension();
  /// A descriptor of the file that was given to encoder::file(). The caller must close it.
  int file();
  /// The next value as it is encoded, with everything in it.
  std::string_view raw();
  void skip();

  /// Throws decode_error: "WHAT: PLACE: message".
  [[noreturn]] void fail(std::string_view message) const;
  /// Throws decode_error: "WHAT: PLACE: expected EXPECTED, got <the type of the next value>".
  [[noreturn]] void fail_expected(std::string_view expected);

 private:
  struct token;
  token next();
  token expect(value_type type, std::string_view expected);
  void read_integer(token& result, unsigned char byte, std::size_t size);
  void find_beside(token& result);
  std::string_view try_short_text() noexcept;
  std::string_view take(std::size_t count, std::string_view of);
  [[noreturn]] void fail_cut_off(std::size_t count, std::string_view of) const;
  std::uint64_t big_endian(std::size_t size, std::string_view of);
  std::string place() const;

  std::string_view data_;
  std::string_view what_;
  detail::attachments* beside_;
  std::size_t position_ = 0;
  const scope* innermost_ = nullptr;
};

/// Tells a decoder where in a larger value it is, for its error messages; costs a few assignments. Make one
/// around the loop that reads an array or a map, and set the position before each value is read:
///     decoder::scope place(in);
///     for (std::size_t i = 0; i < n; ++i) { place.element(i); items.push_back(quarq::decode<item>(in)); }
/// Scopes must end in the reverse order of their construction. Names are not copied: they must live until the
/// next call.
class decoder::scope {
 public:
  /// Throws decode_error when max_depth scopes are alive already.
  explicit scope(decoder& in);
  ~scope() { in_.innermost_ = parent_; }
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

  /// "argument 2 (options)", or "argument 2" if the name is empty; `number` begins at 1.
  void argument(std::size_t number, std::string_view name) noexcept {
    set(kind::argument, static_cast<std::int64_t>(number), name);
  }
  /// "field to", and ".to" within a path.
  void field(std::string_view name) noexcept { set(kind::field, 0, name); }
  /// "element [2]", and "[2]" within a path; counted from 0.
  void element(std::size_t index) noexcept { set(kind::element, static_cast<std::int64_t>(index), {}); }
  /// The value of a map's key: "entry ["london"]", and "["london"]" within a path.
  void entry(std::string_view key) noexcept { set(kind::entry, 0, key); }
  /// The same for a key that is an integer: "entry [5]", and "[5]" within a path.
  void entry(std::int64_t key) noexcept { set(kind::numbered_entry, key, {}); }
  /// A map's key itself: "key 1"; `number` begins at 1.
  void key(std::size_t number) noexcept { set(kind::key, static_cast<std::int64_t>(number), {}); }

 private:
  friend class decoder;
  enum class kind { none, argument, field, element, entry, numbered_entry, key };
  void set(kind what, std::int64_t number, std::string_view name) noexcept {
    kind_ = what;
    number_ = number;
    name_ = name;
  }

  decoder& in_;
  const scope* parent_;
  int depth_;
  kind kind_ = kind::none;
  std::int64_t number_ = 0;
  std::string_view name_;
};

}  // namespace quarq
