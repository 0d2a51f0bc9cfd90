// An HTTP/1.1 server on a coroutine's loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/detail/http_handler.hpp>
#include <quarq/detail/http_pattern.hpp>
#include <quarq/detail/http_websocket.hpp>
#include <quarq/http/answers.hpp>
#include <quarq/http/middleware.hpp>
#include <quarq/http/problem.hpp>
#include <quarq/http/query.hpp>
#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>

namespace quarq::http {

/// Options of a server. docs/http.md lists all limits with their answers.
struct server_options {
  /// Of this host. Another one than loopback's is refused (usage_error), unless there is an authentication or
  /// `public_without_auth` is set.
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: any that is free; see server::listen()
  /// Serve other hosts although nobody has to prove who they are.
  bool public_without_auth = false;
  /// Several loops, or servers in several processes, share the port (SO_REUSEPORT).
  bool reuse_port = false;
  /// Of main(): so many loops, each on a thread of its own. Handlers run on all of them: what they share must be safe
  /// for that.
  unsigned threads = 1;
  /// PEM files: serve TLS.
  std::string certificate_file = {};
  std::string key_file = {};  ///< "": it stands in certificate_file

  std::size_t max_connections = 10'000;  ///< more wait in the kernel's queue
  /// Requests whose handlers run, without those that wait for their client to send or to read; more get 503.
  std::size_t max_in_flight = 1'000;
  std::size_t max_request_line = 8190;   ///< bytes; 414
  std::size_t max_field = 8190;          ///< bytes of a header field; 431
  std::size_t max_fields = 128;          ///< 431
  std::size_t max_header = 32 * 1024;    ///< bytes of request line and fields; 431
  std::uint64_t max_body = 1024 * 1024;  ///< bytes; 413. Routes may have another
  std::size_t max_pipelined = 32;        ///< requests whose answers wait for each other; then they are sent

  std::chrono::milliseconds header_timeout{10'000};  ///< for the whole header, from its first byte on; 408
  std::chrono::milliseconds idle_timeout{75'000};    ///< between two requests of a connection
  std::chrono::milliseconds body_timeout{10'000};   ///< for a body, and a second more for each 240 bytes; 408
  std::chrono::milliseconds write_timeout{30'000};  ///< for a client that takes nothing of an answer
  /// After stop() requests have this long to be answered. Then their handlers are cancelled.
  std::chrono::milliseconds shutdown_timeout{25'000};
};

/// What becomes of a handler whose client has gone away.
enum class on_disconnect {
  by_method,  ///< cancel it for GET, HEAD and OPTIONS, which change nothing; finish it for others
  cancel,     ///< its awaits throw operation_aborted
  finish,     ///< it is not told
};

struct route_options {
  /// Bytes of the body, in place of server_options::max_body.
  std::optional<std::uint64_t> max_body = std::nullopt;
  on_disconnect disconnect = on_disconnect::by_method;
};

class server_impl;

/// Serves routes. Handlers run on the loop of run(), one beside another: a long computation in one of them holds up
/// all. A handler is a function or a coroutine with these parameters, in this order:
///   - numbers, bool, enums and std::string: the pattern's {...}; a part that can't be read as its type is 404
///   - http::request&, http::query<T>, and at most one other type, which is the body, as JSON: a syntax error is
///     400, another type than JSON 415, and a value that does not fit 422, with its path
/// and one of these results: http::response; std::string (text/plain); std::optional<T> (404 if it is empty); void
/// (204); anything else with a codec, as JSON.
///
/// HEAD is answered by the GET route, OPTIONS by the server. Routes, middlewares and state must be set before run().
/// If one of them can't be used, run() throws usage_error. Thread safety: only stop() may be called from other threads.
class server {
 public:
  explicit server(server_options options = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// `server.get("/users/{id}", get_user)`: a pattern whose number of {...} is not that of the handler's path
  /// parameters does not compile.
  template <class F>
  server& get(detail::pattern<std::type_identity_t<F>> pattern, F handler, route_options how = {}) {
    return route("GET", pattern, std::move(handler), how);
  }
  template <class F>
  server& post(detail::pattern<std::type_identity_t<F>> pattern, F handler, route_options how = {}) {
    return route("POST", pattern, std::move(handler), how);
  }
  template <class F>
  server& put(detail::pattern<std::type_identity_t<F>> pattern, F handler, route_options how = {}) {
    return route("PUT", pattern, std::move(handler), how);
  }
  template <class F>
  server& patch(detail::pattern<std::type_identity_t<F>> pattern, F handler, route_options how = {}) {
    return route("PATCH", pattern, std::move(handler), how);
  }
  /// DELETE.
  template <class F>
  server& remove(detail::pattern<std::type_identity_t<F>> pattern, F handler, route_options how = {}) {
    return route("DELETE", pattern, std::move(handler), how);
  }
  /// `server.websocket("/live", live)`: live is an awaitable<void>(http::websocket&); parameters of the path, http::
  /// request& and http::query<T> may come before it. A request that is none for a WebSocket, or comes from a page of
  /// another site, never reaches it. When it returns, the WebSocket is closed with 1000, after an exception with 1011.
  /// stop() closes with 1001.
  template <class F>
  server& websocket(detail::pattern<detail::without_socket<std::type_identity_t<F>>> pattern, F handler,
                    websocket_options options = {}, route_options how = {}) {
    add_route("GET", pattern.text(), detail::make_websocket_handler(std::move(handler), options), how);
    return *this;
  }
  /// Any method.
  template <class F>
  server& route(std::string_view method, detail::pattern<std::type_identity_t<F>> pattern, F handler,
                route_options how = {}) {
    add_route(method, pattern.text(), detail::make_handler(std::move(handler)), how);
    return *this;
  }

  /// Serves the files below `folder` under `prefix` ("/static"), with ETag and ranges; index.html for a folder. What
  /// would leave the folder, also by a symbolic link, and names that begin with a dot are 404.
  server& files(std::string_view prefix, std::string_view folder);

  /// Lets `handler` answer all requests below `prefix` ("/ops"), and for the prefix itself, that no other route is for:
  /// GET, HEAD, POST, PUT, PATCH and DELETE. It reads the body by itself. "" is the whole server.
  server& mount(std::string_view prefix, std::function<awaitable<response>(request&)> handler,
                route_options how = {});

  /// The first one that is added is the first to see a request.
  server& use(middleware f);
  server& use(authentication a);

  /// Makes a T for request::state<T>(), which lives as long as the server.
  template <class T, class... Args>
  T& emplace(Args&&... args) {
    auto object = std::make_shared<T>(std::forward<Args>(args)...);
    auto& made = *object;
    put_state(typeid(T), std::move(object));
    return made;
  }
  /// The same for an object of the caller's, which must outlive run().
  template <class T>
  server& provide(T& object) {
    put_state(typeid(T), std::shared_ptr<void>(std::shared_ptr<void>(), &object));
    return *this;
  }

  server_options& options() noexcept;

  /// Opens the port, and returns its number. run() does it otherwise. Throws usage_error for an address that can't
  /// be used, and boost::system::system_error if the port is taken.
  std::uint16_t listen();

  /// Serves until stop(). Then no connection is accepted any more, idle ones are closed, requests that are being
  /// handled are answered, with "Connection: close", and what is left after shutdown_timeout is cancelled. When the
  /// coroutine is cancelled, all of that is at once. Handlers have ended when this returns. With reuse_port, several
  /// loops can await run() at the same time; each serves the connections that the kernel gives it.
  [[QUARQ_MUST_AWAIT]] awaitable<void> run();

  /// Thread-safe. On all loops. A second call ends the wait for handlers.
  void stop();

  /// A complete main(): run() with stop() on SIGTERM and SIGINT; a second signal ends the process. Flags: --address,
  /// --port, --threads, --help. Returns the exit code: 0; 1 after an error, which is written to stderr in one line; 2 likewise
  /// for a usage_error.
  int main(int argc, char** argv);

 private:
  void add_route(std::string_view method, std::string_view pattern, detail::handler handler,
                 route_options how);
  void put_state(const std::type_info& type, std::shared_ptr<void> object);
  void begin_several();
  void run_on_threads();
  std::shared_ptr<server_impl> impl_;
};

}  // namespace quarq::http
