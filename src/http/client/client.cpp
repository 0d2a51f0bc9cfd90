#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include <quarq/http/client.hpp>

#include "http/client/client_impl.hpp"
#include "http/client/outgoing.hpp"
#include "http/client/transaction.hpp"
#include "http/message/characters.hpp"

namespace quarq::http {

namespace asio = boost::asio;

namespace {

awaitable<void> whole_answer(transaction& of, std::string& body) {
  co_await of.begin();
  co_await of.read_all(body);
}

// Most requests need no more than one exchange over an idle connection: that has its deadline in the connection, and
// few coroutines. Whatever else comes of it goes the long way.
awaitable<response> answer_of(std::unique_ptr<transaction> one) {
  response answer;
  auto so_far = transaction::progress::none;
  const auto loop = co_await asio::this_coro::executor;
  if (one->take_idle_connection(loop)) {
    std::exception_ptr failure;
    try {
      co_await one->exchange();
    } catch (...) {
      failure = std::current_exception();
    }
    so_far = one->end_first_exchange(failure, answer.body);
  }
  if (so_far == transaction::progress::header) {
    co_await one->read_all(answer.body);
  } else if (so_far == transaction::progress::none) {
    co_await with_deadline(*one, whole_answer(*one, answer.body));
  }
  answer.status = one->status();
  answer.reason = one->reason();
  answer.headers = one->take_headers();
  co_return answer;
}

// WebSockets have URLs of their own, which mean the same.
std::string http_url_of(std::string_view url) {
  const auto begins = [&url](std::string_view scheme) {
    return equal_names(url.substr(0, scheme.size()), scheme);
  };
  if (begins("ws://")) return "http" + std::string(url.substr(2));
  if (begins("wss://")) return "https" + std::string(url.substr(3));
  return std::string(url);
}

awaitable<websocket> websocket_of(std::shared_ptr<client::impl> of, outgoing request,
                                  websocket_options options, std::string subprotocols) {
  options.subprotocols = subprotocols;
  transaction one(std::move(of), std::move(request));
  auto made = co_await with_deadline(one, one.open_websocket(options));
  co_return made;
}

awaitable<void> close_idle_of(std::shared_ptr<client::impl> of) {
  const auto loop = co_await asio::this_coro::executor;
  of->pool_of(loop)->close_idle();
}

}  // namespace

// ---- incoming

struct incoming::state {
  state(std::shared_ptr<client::impl> of, outgoing request) : one(std::move(of), std::move(request)) {}
  transaction one;
  std::string url;
};

namespace {

awaitable<incoming> opened(std::shared_ptr<client::impl> of, outgoing request) {
  auto state = std::make_unique<incoming::state>(std::move(of), std::move(request));
  co_await with_deadline(state->one, state->one.begin());
  state->url = state->one.request().target.text();
  co_return incoming(std::move(state));
}

}  // namespace

incoming::incoming(std::unique_ptr<state> from) : state_(std::move(from)) {}
incoming::incoming(incoming&&) noexcept = default;
incoming& incoming::operator=(incoming&&) noexcept = default;
incoming::~incoming() = default;

int incoming::status() const noexcept {
  return state_->one.status();
}

const fields& incoming::headers() const noexcept {
  return state_->one.headers();
}

const std::string& incoming::url() const noexcept {
  return state_->url;
}

awaitable<std::string> incoming::read() {
  return with_deadline(state_->one, state_->one.read());
}

// ---- client

client::client(client_options options) : impl_(std::make_shared<impl>(std::move(options))) {}

client::~client() = default;

awaitable<response> client::send(std::string_view method, std::string_view url,
                                 const request_options& options) {
  return answer_of(
      std::make_unique<transaction>(impl_, make_outgoing(impl_->defaults(), method, url, options)));
}

awaitable<incoming> client::open(std::string_view method, std::string_view url, request_options options) {
  return opened(impl_, make_outgoing(impl_->defaults(), method, url, options));
}

awaitable<http::websocket> client::websocket(std::string_view url, websocket_options options,
                                             request_options request) {
  auto asked = make_outgoing(impl_->defaults(), "GET", http_url_of(url), request);
  if (asked.has_body) throw usage_error("a request for a WebSocket has no body");
  for (const auto name : {"Accept", "Accept-Encoding"}) asked.headers.erase(name);
  return websocket_of(impl_, std::move(asked), options, std::string(options.subprotocols));
}

connections_of_client client::connections() const noexcept {
  return impl_->connections();
}

awaitable<void> client::close_idle() {
  return close_idle_of(impl_);
}

}  // namespace quarq::http
