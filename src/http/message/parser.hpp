// Bytes from a peer as messages, without I/O. As strict as llhttp's strict mode: whatever two implementations could
// read in two ways is refused (docs/http_threats.md lists it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/http/fields.hpp>

#include "http/message/limits.hpp"

namespace quarq::http {

/// Why a message was refused.
struct message_error {
  int status = 400;  ///< what a server answers: 400, 413, 414, 431, 501 or 505
  std::string what;  ///< a clause for people that names the place: "the field Content-Length occurs twice"
};

enum class parse_event {
  needs_more,  ///< feed what was not used again, with more behind it
  header,      ///< the header is there; the body's limit may still be changed
  body,        ///< `data` is a part of the body, without its framing
  end,         ///< the message is over; what was not used belongs to the next one
  failed,      ///< error() says why; nothing more can be read from this peer
};

struct parse_step {
  parse_event event = parse_event::needs_more;
  std::size_t used = 0;   ///< how many of the bytes are done with
  std::string_view data;  ///< into the bytes that were fed
};

/// What both kinds have. Trailer fields are checked and dropped. Use: feed until needs_more; after `end`, reset()
/// and go on with the bytes that are left.
class message_parser {
 public:
  virtual ~message_parser();
  message_parser(const message_parser&) = delete;
  message_parser& operator=(const message_parser&) = delete;

  /// Returns after each event; bytes beyond `used` are to be fed again.
  parse_step feed(std::string_view bytes);
  /// The peer has closed: ends a response whose body lasts until then, and fails everything else that has begun.
  parse_step feed_end();
  /// For the next message of the same connection.
  virtual void reset() = 0;

  const message_error& error() const noexcept { return error_; }
  /// Whether at least one byte of the message was fed.
  bool has_begun() const noexcept;
  /// From `header` on, until reset().
  const fields& headers() const noexcept { return fields_; }
  fields take_headers() noexcept { return std::move(fields_); }
  int minor_version() const noexcept { return minor_version_; }  ///< 0 or 1
  /// Whether the connection may be used for another message: as Connection and the version say.
  bool keeps_alive() const noexcept;
  /// Of the body, where the header says it.
  std::optional<std::uint64_t> content_length() const noexcept;
  bool is_chunked() const noexcept;
  /// Of a response: whether Transfer-Encoding names a coding besides chunked. Where the body ends is clear then, but not
  /// what it says. Such requests are refused.
  bool has_unknown_coding() const noexcept {
    return has_unknown_coding_ || has_transfer_encoding_ != is_chunked_;
  }
  bool has_body() const noexcept;
  /// In bytes; takes effect at once, also where Content-Length is known: the next feed() fails with 413.
  void limit_body(std::uint64_t bytes) noexcept;

 protected:
  explicit message_parser(message_limits limits);

  /// `line` is without its CRLF. False: fail() has been called.
  virtual bool read_start_line(std::string_view line) = 0;
  /// A field that says something about this kind of message alone.
  virtual bool read_own_field(std::string_view name, std::string_view value) = 0;
  /// All fields are there: decides what the body is.
  virtual bool finish_header() = 0;

  /// Returns false.
  bool fail(int status, std::string what);
  void reset_message() noexcept;
  /// For so many fields of so many bytes together, without growing.
  void make_room(std::size_t bytes, std::size_t count) { fields_.reserve(bytes, count); }

  enum class body_kind { none, sized, chunked, until_close };

  message_limits limits_;
  message_error error_;
  fields fields_;
  int minor_version_ = 1;
  body_kind body_ = body_kind::none;
  std::optional<std::uint64_t> content_length_;
  bool has_transfer_encoding_ = false;
  bool is_chunked_ = false;  // Transfer-Encoding ends in chunked, once; whether or not there is a body
  bool has_unknown_coding_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  bool says_upgrade_ = false;

 private:
  enum class phase {
    start_line,
    header_line,
    header_read,
    data,
    chunk_header,
    chunk_data,
    chunk_end,
    trailer,
    over,
    failed
  };

  /// Takes a whole line off `rest`, with its CRLF, and returns it without. nullopt: it has not ended yet, or
  /// fail() has been called.
  std::optional<std::string_view> take_line(std::string_view& rest, std::size_t limit, int status,
                                            const char* what);
  bool check_unfinished_start(std::string_view part);
  bool read_header(std::string_view& rest);
  bool read_field_line(std::string_view line);
  bool split_field(std::string_view line, std::string_view& name, std::string_view& value);
  bool read_field(std::string_view name, std::string_view value);
  bool read_content_length(std::string_view value);
  bool read_transfer_encoding(std::string_view value);
  void read_connection(std::string_view value);
  bool begin_body();
  bool read_chunk_header(std::string_view line);
  bool read_chunk_size(std::string_view& line);
  bool read_trailer_line(std::string_view line);
  bool check_body_limit(std::uint64_t more);
  parse_step read_data(std::string_view bytes, std::size_t used);
  std::optional<parse_step> read_chunks(std::string_view bytes);

  phase phase_ = phase::start_line;
  bool has_begun_ = false;
  std::size_t scanned_ = 0;      // of the unfinished line
  std::size_t header_size_ = 0;  // of the lines that were read
  std::size_t trailer_size_ = 0;
  std::size_t trailer_count_ = 0;
  std::size_t chunked_count_ = 0;  // in Transfer-Encoding
  std::uint64_t left_ = 0;         // of the body, or of the chunk
  std::uint64_t received_ = 0;     // of the body, with the whole of the chunk that has begun
};

class request_parser final : public message_parser {
 public:
  explicit request_parser(message_limits limits = {});
  ~request_parser() override;
  void reset() override;
  std::string_view method() const noexcept;
  /// As it was sent: origin form, absolute form, authority form (CONNECT) or "*" (OPTIONS).
  std::string_view target() const noexcept;
  /// Whether the client waits for 100 Continue before it sends the body.
  bool expects_continue() const noexcept;
  /// Whether it asks for another protocol: Connection has "upgrade", and Upgrade says which.
  bool asks_for_upgrade() const noexcept;

 private:
  bool read_start_line(std::string_view line) override;
  bool read_own_field(std::string_view name, std::string_view value) override;
  bool finish_header() override;
  bool check_target();
  bool check_host();

  std::string method_;
  std::string target_;
  std::string host_;
  bool has_host_ = false;
  bool has_upgrade_ = false;
  bool expects_continue_ = false;
};

class response_parser final : public message_parser {
 public:
  /// `method` is that of the request: HEAD has no body, CONNECT none if it succeeds.
  explicit response_parser(std::string_view method, message_limits limits = {});
  ~response_parser() override;
  /// For the answer after an interim one (1xx), or for that to another request of the same method.
  void reset() override;
  /// For the answer to a request of another method.
  void reset(std::string_view method);
  int status() const noexcept;
  std::string_view reason() const noexcept;

 private:
  bool read_start_line(std::string_view line) override;
  bool read_own_field(std::string_view name, std::string_view value) override;
  bool finish_header() override;

  bool answers_head_ = false;
  bool answers_connect_ = false;
  int status_ = 0;
  std::string reason_;
};

}  // namespace quarq::http
