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
  bool has_body() const noexcept;
  /// In bytes; takes effect at once, also where Content-Length is known: the next feed() fails with 413.
  void limit_body(std::uint64_t bytes) noexcept;

 protected:
  explicit message_parser(message_limits limits);
  message_limits limits_;
  message_error error_;
  fields fields_;
  int minor_version_ = 1;
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
};

class response_parser final : public message_parser {
 public:
  /// `method` is that of the request: HEAD has no body, CONNECT none if it succeeds.
  explicit response_parser(std::string_view method, message_limits limits = {});
  ~response_parser() override;
  /// For the answer after an interim one (1xx), or for that to another request of the same method.
  void reset() override;
  int status() const noexcept;
  std::string_view reason() const noexcept;
};

}  // namespace quarq::http
