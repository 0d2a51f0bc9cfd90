// The HTTP client: pages and APIs from coroutines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/must_await.hpp>
#include <quarq/http/errors.hpp>
#include <quarq/http/fields.hpp>
#include <quarq/http/request_options.hpp>
#include <quarq/http/response.hpp>
#include <quarq/http/retries.hpp>
#include <quarq/http/websocket.hpp>

namespace quarq::http {

/// Defaults for all requests of a client. docs/http.md has them in a table.
struct client_options {
  /// For everything from waiting for a connection to the last byte of the answer, redirects and retries included.
  std::chrono::milliseconds timeout{30'000};
  /// How long connections may bring no byte while an answer is awaited or read; 0: only `timeout` counts.
  std::chrono::milliseconds max_silence{0};

  std::size_t max_connections = 100;  ///< of each loop, all hosts together
  std::size_t max_connections_per_host = 16;
  /// How long an unused connection is kept. A server's "Keep-Alive: timeout=N" counts less one second.
  std::chrono::milliseconds max_idle{15'000};

  int max_redirects = 10;
  /// Of an answer's body that is read as a whole, without its codings, in bytes.
  std::size_t max_body = std::size_t{64} << 20;
  /// Whether gzip, deflate and br are asked for and undone.
  bool decompress = true;
  retry_policy retries{};
  /// Whether cookies that servers set are sent back to them (RFC 6265bis, with the public suffix list). They are
  /// shared by all users of this client.
  bool cookies = false;

  /// Whether HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are heeded.
  bool environment_proxy = true;
  /// "http://user:password@host:3128": for all requests, instead of the environment's.
  std::string proxy{};

  /// Whether servers' certificates are checked. Without that, anybody on the way can read and change everything.
  bool verify_tls = true;
  std::string ca_file{};           ///< PEM: whom to trust, instead of those whom the system trusts
  std::string ca_pem{};            ///< the same as text; both may be given
  std::string certificate_file{};  ///< PEM: the client's own certificate
  std::string key_file{};          ///< PEM; "": the key stands in certificate_file
  /// base64 of the SHA-256 of a server's public key: no other is trusted. For a client of one server.
  std::string pinned_key{};

  std::string user_agent = "quarq";
  /// Sent with every request.
  fields headers{};
};

/// An answer whose body is read in pieces. Movable. Destroying it before the end closes the connection.
class incoming {
 public:
  struct state;
  explicit incoming(std::unique_ptr<state> from);
  incoming(incoming&&) noexcept;
  incoming& operator=(incoming&&) noexcept;
  ~incoming();

  int status() const noexcept;
  bool ok() const noexcept { return status() >= 200 && status() < 300; }
  const fields& headers() const noexcept;
  /// After redirects, where it came from.
  const std::string& url() const noexcept;

  /// The next bytes of the body, without its codings; "" at the end. Throws request_error, also past the request's
  /// deadline, and operation_aborted when cancelled; after that nothing more can be read.
  [[QUARQ_MUST_AWAIT]] awaitable<std::string> read();

 private:
  std::unique_ptr<state> state_;
};

struct connections_of_client {
  std::size_t in_use = 0;
  std::size_t idle = 0;
};

/// One for a whole program: it keeps connections, and may be used by any number of loops and threads at the same
/// time; each loop has connections of its own. Requests that are under way may outlive it. Where several threads
/// have used it, their loops must have ended before it is destroyed.
///
///     quarq::http::client web;
///     auto page = co_await web.get("https://example.org/", {.timeout = 5s});
///     auto made = co_await web.post<user>("https://api.example.org/users", {.json = new_user});
///
/// T = response yields the answer, whatever its status. Another T is read from a JSON body: then a status that is
/// not 2xx throws status_error, and a body that is no T decode_error; void ignores the body.
///
/// All throw usage_error, at the call, for what can't be a request; request_error if there is no whole answer, and
/// operation_aborted when cancelled: the connection is closed then. When the deadline has passed, request_error
/// says so and names the step.
class client {
 public:
  /// Throws usage_error for options that make no sense, and for fields that can't be sent.
  explicit client(client_options options = {});
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  template <class T = response>
  [[QUARQ_MUST_AWAIT]] awaitable<T> get(std::string_view url, request_options options = {}) {
    return request<T>("GET", url, options);
  }
  template <class T = response>
  [[QUARQ_MUST_AWAIT]] awaitable<T> post(std::string_view url, request_options options = {}) {
    return request<T>("POST", url, options);
  }
  template <class T = response>
  [[QUARQ_MUST_AWAIT]] awaitable<T> put(std::string_view url, request_options options = {}) {
    return request<T>("PUT", url, options);
  }
  template <class T = response>
  [[QUARQ_MUST_AWAIT]] awaitable<T> patch(std::string_view url, request_options options = {}) {
    return request<T>("PATCH", url, options);
  }
  /// DELETE, which is a word of C++.
  template <class T = response>
  [[QUARQ_MUST_AWAIT]] awaitable<T> remove(std::string_view url, request_options options = {}) {
    return request<T>("DELETE", url, options);
  }
  [[QUARQ_MUST_AWAIT]] awaitable<response> head(std::string_view url, request_options options = {}) {
    return send("HEAD", url, options);
  }

  /// With any method but CONNECT.
  template <class T = response>
  [[QUARQ_MUST_AWAIT]] awaitable<T> request(std::string_view method, std::string_view url,
                                            request_options options = {}) {
    if constexpr (std::is_same_v<T, response>) {
      return send(method, url, options);
    } else {
      return value_of<T>(send(method, url, options), std::string(method), std::string(url));
    }
  }

  /// The answer as soon as its header is there; the deadline covers the body, too.
  [[QUARQ_MUST_AWAIT]] awaitable<incoming> open(std::string_view method, std::string_view url,
                                                request_options options = {});

  /// A WebSocket at "wss://example.org/live", or "ws:", over a connection of its own; `request` may have headers, a
  /// bearer, a query and a timeout for all until it is open. Throws as get() does, also if the server answers
  /// anything but 101; redirects are not followed.
  [[QUARQ_MUST_AWAIT]] awaitable<http::websocket> websocket(std::string_view url,
                                                            websocket_options options = {},
                                                            request_options request = {});

  /// Of all loops, at this moment. Thread safety: any.
  connections_of_client connections() const noexcept;
  /// Closes the idle connections of this loop. To be called on it.
  [[QUARQ_MUST_AWAIT]] awaitable<void> close_idle();

  class impl;

 private:
  friend class event_stream;
  awaitable<response> send(std::string_view method, std::string_view url, const request_options& options);

  template <class T>
  static awaitable<T> value_of(awaitable<response> sent, std::string method, std::string url) {
    auto answer = co_await std::move(sent);
    if (!answer.ok()) throw status_error(method, url, std::move(answer));
    if constexpr (!std::is_void_v<T>) co_return answer.template as<T>();
  }

  std::shared_ptr<impl> impl_;
};

}  // namespace quarq::http
