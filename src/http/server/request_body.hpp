// Reads the bodies of a connection's requests, one after another.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <quarq/awaitable.hpp>
#include <quarq/detail/http_request.hpp>

#include "async/turn.hpp"
#include "http/message/parser.hpp"
#include "http/server/connection_io.hpp"

namespace quarq::http {

class request_body final : public detail::body_reader {
 public:
  /// Both must outlive this. `timeout`: for a body, and a second more for each 240 bytes of it.
  request_body(connection_io& io, request_parser& parser, std::chrono::milliseconds timeout)
      : io_(io), parser_(parser), timeout_(timeout) {}

  /// The header of a request has been parsed.
  void begin() noexcept;

  /// The next part; "" at the end. Valid until the next call. Throws problem.
  awaitable<std::string_view> read_some() override;

  /// Whether another request can follow: nothing of the body is left, or so little that skip() will do.
  bool can_be_skipped() const;
  /// Reads what no handler has read. False: it is too much, or it does not come.
  awaitable<bool> skip();

 private:
  // A body may come in chunks of one byte.
  static constexpr std::size_t parts_in_a_row = 64;
  awaitable<bool> read_more();

  connection_io& io_;
  request_parser& parser_;
  const std::chrono::milliseconds timeout_;
  bool is_over_ = false;
  bool is_broken_ = false;  // nothing can be read behind it
  bool sent_continue_ = false;
  async::turn turn_{parts_in_a_row};
  std::uint64_t received_ = 0;
  std::chrono::milliseconds waited_{0};
};

}  // namespace quarq::http
