// RESP2 and RESP3 (redis.io/docs/reference/protocol-spec), without I/O: bytes in, replies out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/errors.hpp>

namespace quarq::redis {

/// One reply. A RESP3 map becomes an array of keys and values in turn, a verbatim string loses its
/// three-letter type, a big number becomes text, and attributes are skipped.
struct reply {
  enum class kind { nil, text, integer, real, boolean, error, array, push };
  kind type = kind::nil;
  std::int64_t integer = 0;  ///< integer; boolean as 0 or 1
  double real = 0;
  std::string text;          ///< text, error
  std::vector<reply> items;  ///< array (also map and set), push

  bool is_nil() const noexcept { return type == kind::nil; }
  bool is_error() const noexcept { return type == kind::error; }
};

/// The bytes are not RESP, or exceed a limit. what() says what was wrong, and at which byte of the stream.
class protocol_error : public error {
 public:
  using error::error;
};

/// Appends a command as servers expect it: an array of bulk strings, which may hold any bytes.
void append_command(std::string& out, std::span<const std::string> args);
void append_command(std::string& out, std::span<const std::string_view> args);

/// Limits of the parser, so that broken bytes can't make it use all memory.
struct resp_limits {
  std::size_t depth = 32;                           ///< arrays inside arrays
  std::size_t text_bytes = std::size_t{512} << 20;  ///< one bulk string; the server's own default limit
  std::size_t line_bytes = std::size_t{64} << 10;   ///< a simple string, an error or a number
  std::size_t items = std::size_t{1} << 26;         ///< of one array, map or set
};

/// Takes bytes as they arrive and yields the replies in them. It keeps its place between feeds, so that a
/// reply that arrives in many pieces is read once. It allocates for bytes that have arrived, never for a
/// length that was only announced.
class resp_parser {
 public:
  explicit resp_parser(resp_limits limits = {}) : limits_(limits) {}
  // Unfinished arrays are referred to by their address.
  resp_parser(const resp_parser&) = delete;
  resp_parser& operator=(const resp_parser&) = delete;

  /// Adds a copy of these bytes.
  void feed(std::string_view bytes);

  /// The same without the copy: returns space for at least `bytes`; the caller writes to it, and reports with
  /// commit() how much it wrote.
  std::span<char> prepare(std::size_t bytes);
  void commit(std::size_t bytes);

  /// Moves the next complete reply to `out`; returns false if there is none yet. Throws protocol_error, and
  /// then does so at each later call.
  bool next(reply& out);

 private:
  struct frame {
    reply* into;                        // the value whose items are being read
    std::size_t left;                   // items still to come
    std::unique_ptr<reply> attributes;  // owns *into if these are attributes, which are discarded
  };

  bool parse();
  bool take_line(std::string_view& line);
  bool take_body();
  bool begin(char type, std::string_view line);
  bool begin_text(char type, std::string_view line);
  bool begin_items(char type, std::string_view line);
  void read_line_value(char type, std::string_view line);
  void read_real(std::string_view line);
  void set_text(reply::kind type, std::string_view text);
  void set_integer(reply::kind type, std::int64_t n);
  reply& slot();
  bool finish_value();
  std::int64_t number(std::string_view line, const char* what) const;
  std::size_t length(char type, std::string_view line, std::size_t max) const;
  std::size_t unread() const noexcept { return end_ - begin_; }
  [[noreturn]] void fail(const std::string& what) const;

  resp_limits limits_;
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0, end_ = 0;  // the bytes that are not parsed yet
  std::size_t searched_ = 0;         // so many bytes from begin_ hold no end of line
  std::uint64_t dropped_ = 0;        // bytes of the stream before bytes_[0]
  std::size_t token_ = 0;            // where the value being read began, for errors

  std::vector<frame> open_;
  reply root_;
  char body_type_ = 0;  // of a bulk string whose length was read, else 0
  std::size_t body_bytes_ = 0;
  std::string failure_;
};

}  // namespace quarq::redis
