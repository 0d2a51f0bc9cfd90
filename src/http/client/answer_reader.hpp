// Answers from a stream, one after another.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>

#include "http/message/parser.hpp"
#include "http/net/stream.hpp"

namespace quarq::http {

/// The connection ended, or brought something that is not HTTP.
class answer_error : public error {
 public:
  using error::error;
};

/// Reads the answer to one request at a time. What has come is read without waiting, so that most answers cost one
/// read_more().
class answer_reader {
 public:
  /// The stream must exist for as long as this object.
  explicit answer_reader(stream& from);

  /// For the answer to the next request, whose method this is. `max_silence`: how long the connection may bring no
  /// byte; 0: for ever.
  void begin(std::string_view method, std::chrono::milliseconds max_silence);

  /// Whether the header of the final answer is there; interim ones (1xx) are passed over. False: read_more(). Throws
  /// answer_error.
  bool take_header();
  /// A part of the body, without its framing but with its codings; valid until the next call. "" at the end; nullopt:
  /// read_more(). Throws answer_error.
  std::optional<std::string_view> take_body();
  /// Throws answer_error, and what stream throws.
  awaitable<void> read_more();

  /// The same, waiting for what is missing.
  awaitable<void> read_header();
  awaitable<std::string_view> read_body();

  const response_parser& parser() const noexcept { return parser_; }
  response_parser& parser() noexcept { return parser_; }
  /// Whether a byte of an answer has come.
  bool has_begun() const noexcept { return has_begun_; }
  bool is_complete() const noexcept { return is_complete_; }
  /// Whether bytes have come that are not part of the answer.
  bool has_unused() const noexcept { return begin_ != end_; }
  /// The answer is complete, nothing came behind it, and the server keeps the connection.
  bool connection_can_be_reused() const noexcept;

 private:
  std::span<char> make_space();
  void received(std::size_t size);
  std::string_view unused() const noexcept { return {buffer_.data() + begin_, end_ - begin_}; }
  parse_step step();

  stream& from_;
  response_parser parser_;
  std::chrono::milliseconds max_silence_{0};
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  int interim_ = 0;
  bool has_begun_ = false;
  bool is_complete_ = false;
  bool ended_ = false;  // the peer has closed
};

}  // namespace quarq::http
