// One request from its first attempt to the last byte of its answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/http/client.hpp>
#include <quarq/http/errors.hpp>
#include <quarq/http/websocket.hpp>
#include <quarq/time.hpp>

#include "async/turn.hpp"
#include "http/client/answer_reader.hpp"
#include "http/client/client_impl.hpp"
#include "http/client/connection_pool.hpp"
#include "http/client/outgoing.hpp"
#include "http/coding/content_decoder.hpp"

namespace quarq::http {

/// Belongs to the loop on which it is used. What it throws is request_error; operation_aborted if the coroutine was
/// cancelled; what a body_stream threw. It is over then. Nothing here has a deadline, but for what goes over a
/// connection of take_idle_connection(): see with_deadline().
class transaction {
 public:
  transaction(std::shared_ptr<client::impl> of, outgoing&& request);
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// What is enough for most requests, until their deadline. True: there is one for it, and exchange() follows.
  bool take_idle_connection(const boost::asio::any_io_executor& loop);
  /// Sends the request once, and reads the header of the answer. Throws what the connection does.
  awaitable<void> exchange();
  enum class progress {
    none,    ///< begin() goes on with what there is
    header,  ///< of the last answer: read_all() follows
    whole,
  };
  /// What exchange() has come to. Appends what there is of the last answer's body.
  progress end_first_exchange(std::exception_ptr failure, std::string& body);

  /// Sends the request, again where the rules say so, and follows redirects, until the header of the last answer
  /// is there.
  awaitable<void> begin();
  /// The next bytes of the body, without its codings; "" at the end, when the connection has been given back.
  awaitable<std::string> read();
  /// The whole body.
  awaitable<void> read_all(std::string& body);

  /// Instead of all these: a WebSocket, over a connection that is not the pool's.
  awaitable<websocket> open_websocket(websocket_options options);

  int status() const noexcept { return status_; }
  const std::string& reason() const noexcept { return reason_; }
  const fields& headers() const noexcept { return headers_; }
  fields take_headers() noexcept { return std::move(headers_); }
  const outgoing& request() const noexcept { return request_; }

  std::chrono::steady_clock::time_point deadline() const noexcept { return deadline_; }
  /// What is thrown by whoever ends this at the deadline.
  request_error past_deadline() const;
  /// Whether the exception that it has thrown came from a body_stream.
  bool failure_is_the_callers() const noexcept { return is_the_callers_; }

 private:
  // Of pieces of the body: each, and each KiB of it, costs one.
  static constexpr std::size_t cost_of_turn = 64;
  awaitable<void> answer_with_retries();
  awaitable<void> answer_over_a_live_connection();
  awaitable<void> take_connection(const std::optional<url>& proxy);
  awaitable<std::unique_ptr<pooled_connection>> open_connection(const std::optional<url>& proxy);
  awaitable<void> ask_proxy(stream& io, const url& proxy);
  awaitable<void> write_request(std::string_view header);
  awaitable<void> write_stream(stream& io, std::string_view header);
  awaitable<void> discard_answer();
  awaitable<bool> follow_redirect(int followed);
  bool answer_is_final() const;
  bool is_late() const;
  void use_connection();
  std::string header_now(const std::optional<url>& proxy) const;
  bool write_now(std::string& header);
  void take_header();
  bool take_piece(std::string& piece);
  awaitable<void> next_piece(std::string& piece);
  bool take_pieces(std::string& body);
  void append(std::string& body, std::string& piece) const;
  void end_exchange();
  void drop_connection() noexcept;
  bool request_was_written() const;
  broken_connection facts_of_failure() const;
  std::optional<std::chrono::milliseconds> pause_before_retry(int attempt, bool answered);
  void enter(request_step step) noexcept { where_.step = step; }
  request_error::position position() const;
  [[noreturn]] void fail(const std::exception_ptr& failure);
  [[noreturn]] void fail(std::string cause);

  std::shared_ptr<client::impl> client_;
  outgoing request_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point deadline_;
  request_error::position where_;  // see position()
  bool is_the_callers_ = false;    // the exception that is on its way: a body_stream threw it

  bool needs_tunnel_ = false;  // through a proxy, also without TLS

  // What the first exchange has come to, until begin() takes it up.
  bool has_first_exchange_ = false;
  std::exception_ptr first_failure_;

  // Of the current attempt.
  connection_pool::lease lease_;
  answer_reader* answer_ = nullptr;  // the connection's, once the request is on its way
  std::uint64_t sent_before_ = 0;    // by the connection, when the request began
  bool request_is_complete_ = false;
  int status_ = 0;
  std::string reason_;
  fields headers_;
  std::unique_ptr<content_decoder> decoder_;
  async::turn turn_{cost_of_turn};
};

/// Awaits `work`, which is this transaction's, until its deadline; past it, throws past_deadline().
template <class T>
awaitable<T> with_deadline(transaction& of, awaitable<T> work) {
  const auto left = of.deadline() - std::chrono::steady_clock::now();
  try {
    if constexpr (std::is_void_v<T>) {
      co_await with_timeout(std::move(work), left);
      co_return;
    } else {
      auto value = co_await with_timeout(std::move(work), left);
      co_return value;
    }
  } catch (const timed_out&) {
    if (of.failure_is_the_callers()) throw;
  }
  throw of.past_deadline();
}

}  // namespace quarq::http
