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

#include <quarq/awaitable.hpp>
#include <quarq/http/client.hpp>
#include <quarq/http/errors.hpp>
#include <quarq/http/websocket.hpp>
#include <quarq/time.hpp>

#include "http/client/answer_reader.hpp"
#include "http/client/client_impl.hpp"
#include "http/client/connection_pool.hpp"
#include "http/client/outgoing.hpp"
#include "http/coding/content_decoder.hpp"

namespace quarq::http {

/// Belongs to the loop on which it is used. What it throws is request_error; operation_aborted if the coroutine was
/// cancelled; what a body_stream threw. It is over then. Nothing here has a deadline: see with_deadline().
class transaction {
 public:
  transaction(std::shared_ptr<client::impl> of, outgoing request);
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// Sends the request, again where the rules say so, and follows redirects, until the header of the last answer
  /// is there.
  awaitable<void> begin();
  /// The next bytes of the body, without its codings; "" at the end, when the connection has been given back.
  awaitable<std::string> read();
  /// The whole body.
  awaitable<std::string> read_all();

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
  awaitable<void> answer_with_retries();
  awaitable<void> answer_over_a_live_connection();
  awaitable<void> exchange();
  awaitable<void> take_connection(const std::optional<url>& proxy);
  awaitable<std::unique_ptr<pooled_connection>> open_connection(const std::optional<url>& proxy);
  awaitable<void> ask_proxy(stream& io, const url& proxy);
  awaitable<void> write_request(std::string header);
  awaitable<void> write_stream(stream& io, std::string header);
  awaitable<void> discard_answer();
  awaitable<bool> follow_redirect(int followed);
  void take_header();
  void end_exchange();
  bool request_was_written() const;
  broken_connection facts_of_failure() const;
  std::optional<std::chrono::milliseconds> pause_before_retry(int attempt, bool answered);
  void enter(request_step step) noexcept { where_.step = step; }
  void locate();
  [[noreturn]] void fail(const std::exception_ptr& failure);
  [[noreturn]] void fail(std::string cause);

  std::shared_ptr<client::impl> client_;
  outgoing request_;
  std::chrono::steady_clock::time_point deadline_;
  request_error::position where_;
  bool is_the_callers_ = false;  // the exception that is on its way: a body_stream threw it

  bool needs_tunnel_ = false;  // through a proxy, also without TLS

  // Of the current attempt.
  connection_pool::lease lease_;
  std::unique_ptr<answer_reader> answer_;
  std::uint64_t sent_before_ = 0;  // by the connection, when the request began
  bool request_is_complete_ = false;
  int status_ = 0;
  std::string reason_;
  fields headers_;
  std::unique_ptr<content_decoder> decoder_;
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
