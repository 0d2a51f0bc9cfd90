// From a handler of WebSockets to one that takes a request and answers it with 101.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/detail/http_handler.hpp>
#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>
#include <quarq/http/websocket.hpp>

namespace quarq::http::detail {

/// A route's options, with the texts that they refer to.
struct websocket_setup {
  explicit websocket_setup(const websocket_options& given);
  websocket_setup(const websocket_setup&) = delete;
  websocket_setup& operator=(const websocket_setup&) = delete;

  websocket_options options;

 private:
  std::string subprotocols_;
  std::string origins_;
};

using websocket_server = std::function<awaitable<void>(websocket&)>;

/// 101 with `serve`, or why the request is none for a WebSocket.
response answer_websocket(const request& r, std::shared_ptr<const websocket_setup> setup,
                          websocket_server serve);

/// A handler of WebSockets without its last parameter, the WebSocket: so it is a handler like others.
template <class F>
struct without_socket {};

template <class F>
using all_parameters = typename signature_of<std::decay_t<F>>::parameters;

template <class F>
constexpr bool takes_socket_last() {
  if constexpr (boost::mp11::mp_empty<all_parameters<F>>::value) {
    return false;
  } else {
    return std::is_same_v<boost::mp11::mp_back<all_parameters<F>>, websocket&>;
  }
}

template <class F>
struct signature_of<without_socket<F>> {
  static_assert(takes_socket_last<F>(),
                "quarq: a handler of WebSockets is a coroutine whose last parameter is http::websocket&");
  using result = response;
  using parameters = boost::mp11::mp_pop_back<all_parameters<F>>;
};

template <class F>
handler make_websocket_handler(F f, const websocket_options& options) {
  static_assert(std::is_same_v<typename signature_of<F>::result, awaitable<void>>,
                "quarq: a handler of WebSockets returns awaitable<void>");
  static_assert(!arguments_of<without_socket<F>>::takes_body, "quarq: a request for a WebSocket has no body");
  auto kept = std::make_shared<F>(std::move(f));
  auto setup = std::make_shared<const websocket_setup>(options);
  handler made;
  made.plain = [kept, setup](request& r) {
    using given = decltype(arguments_of<without_socket<F>>::take(r));
    auto arguments = std::make_shared<given>(arguments_of<without_socket<F>>::take(r));
    return answer_websocket(r, setup, [kept, arguments](websocket& socket) {
      const auto call = [&](auto&... before) { return (*kept)(before..., socket); };
      return std::apply(call, *arguments);
    });
  };
  return made;
}

}  // namespace quarq::http::detail
