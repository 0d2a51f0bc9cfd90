// Writes the answers of a connection, one after another.
#pragma once

#include <cstdint>
#include <string_view>

#include <quarq/awaitable.hpp>
#include <quarq/detail/http_request.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/response.hpp>

#include "async/turn.hpp"
#include "http/server/connection_io.hpp"
#include "http/server/reply.hpp"

namespace quarq::http {

class reply_writer final : public body_writer {
 public:
  /// Both must outlive this. The request is named where something goes wrong.
  reply_writer(connection_io& io, const detail::request_facts& to) : io_(io), to_(to) {}

  /// Appends the header, and the body where the response has it as a whole.
  void begin(const response& r, const reply_facts& facts);
  bool keeps_alive() const noexcept { return plan_.keep_alive; }
  /// Whether write_body() must follow.
  bool has_more(const response& r) const noexcept {
    return plan_.framing != body_framing::none && r.write_body;
  }
  /// The body that a handler writes piece by piece. Throws what the handler throws, and usage_error for another
  /// length than was announced.
  awaitable<void> write_body(const response& r);

 private:
  // Each part, and each 16 KiB of it, costs one.
  static constexpr std::size_t cost_of_turn = 8;
  static constexpr std::size_t bytes_for_one = std::size_t{16} << 10;
  awaitable<void> write(std::string_view bytes) override;

  connection_io& io_;
  const detail::request_facts& to_;
  reply_plan plan_;
  std::uint64_t written_ = 0;
  async::turn turn_{cost_of_turn};
};

}  // namespace quarq::http
