#include "http/server/connection.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/http/problem.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "http/message/writer.hpp"
#include "http/server/early_answer.hpp"
#include "http/server/service.hpp"
#include "http/server/target.hpp"
#include "http/server/upgrade.hpp"

namespace quarq::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t header_space = std::size_t{4} << 10;

message_limits limits_of(const server_options& o) {
  message_limits l;
  l.start_line = o.max_request_line;
  l.field = o.max_field;
  l.fields = o.max_fields;
  l.header = o.max_header;
  l.body = o.max_body;
  return l;
}

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

}  // namespace

connection::connection(std::shared_ptr<service> of, tcp::socket socket)
    : service_(std::move(of)),
      parser_(limits_of(service_->setup().options)),
      io_(std::move(socket), service_->wheel, service_->in_flight, service_->setup().options.write_timeout,
          [this] { peer_gone(); }),
      body_(io_, parser_, service_->setup().options.body_timeout),
      reply_(io_, facts_),
      request_(facts_) {
  facts_.headers = &parser_.headers();
  facts_.peer = io_.transport().remote_address();
  facts_.has_tls = service_->setup().tls != nullptr;
  facts_.state = &service_->setup().state;
  facts_.body = &body_;
}

connection::~connection() = default;

awaitable<void> connection::run() {
  try {
    if (service_->setup().tls) {
      io_.wait_for(waits_for::header, service_->setup().options.header_timeout);
      co_await io_.transport().start_tls(service_->setup().tls, {});
    }
    co_await serve();
    if (!io_.send_now()) co_await io_.send_rest();
    io_.wait_for_nothing();
    // What the peer has sent meanwhile must not reset the connection before it has read the answer.
    if (!in_use_by_websocket_) co_await io_.transport().finish();
  } catch (const std::exception& e) {
    base::log().debug("{}: closed: {}", facts_.peer, e.what());
  }
  io_.close();
}

awaitable<void> connection::serve() {
  while (true) {
    const auto step = parser_.feed(io_.in.unread());
    io_.in.use(step.used);
    if (step.event == parse_event::failed) {
      refuse(parser_.error());
      co_return;
    }
    if (step.event == parse_event::header) {
      const bool goes_on = co_await handle_request();
      if (!goes_on) co_return;
      turn_.spend();
      if (!io_.in.empty() && turn_.is_over()) co_await async::next_turn();
      continue;
    }
    if (!io_.send_now()) co_await io_.send_rest();
    if (is_over()) co_return;
    io_.shrink();
    const auto now = wait_for_request();
    const bool more = co_await io_.read_more(now.what, now.max, header_space);
    turn_.begin();
    if (more) continue;
    if (io_.timed_out() && parser_.has_begun()) {
      refuse({408, fmt::format("the header did not come within {}",
                               base::human_duration(service_->setup().options.header_timeout))});
    }
    co_return;
  }
}

// ---- until a request has begun

bool connection::is_over() {
  return ending_ && !has_begun() && io_.is_quiet();
}

bool connection::has_begun() const noexcept {
  return parser_.has_begun() || !io_.in.empty();
}

connection::wait connection::wait_for_request() {
  if (has_begun() || !served_one_) return {waits_for::header, left_for_header()};
  return {waits_for::request, service_->setup().options.idle_timeout};
}

// For the header as a whole, not for each part of it.
milliseconds connection::left_for_header() {
  const auto now = std::chrono::steady_clock::now();
  if (!header_deadline_) header_deadline_ = now + service_->setup().options.header_timeout;
  return std::max(std::chrono::duration_cast<milliseconds>(*header_deadline_ - now), milliseconds(0));
}

// A request that is not well-formed reaches neither middlewares nor handlers.
void connection::refuse(const message_error& e) {
  base::log().debug("{}: refused with {}: {}", facts_.peer, e.status, e.what);
  const auto answer = answer_of(problem(e.status, e.what));
  reply_facts facts;
  facts.keep_alive = false;
  facts.date = service_->date.now();
  append_reply_header(io_.out, answer, facts);
  io_.out += answer.body;
}

// ---- a request

void connection::begin_request() {
  const auto& setup = service_->setup();
  header_deadline_.reset();
  body_.begin();
  facts_.method = parser_.method();
  facts_.target = parser_.target();
  facts_.minor_version = parser_.minor_version();
  facts_.matched = nullptr;
  facts_.preset = nullptr;
  facts_.user.clear();
  facts_.whole_body.clear();
  const auto target = split(facts_.target);
  facts_.query = target.query;
  auto early = early_answer(setup.routes, target.path, facts_);
  if (service_->in_flight >= setup.options.max_in_flight) {
    early = answer_of(problem(503, "too many requests are being handled", {{"Retry-After", "1"}}));
  }
  if (early) {
    preset_ = std::move(*early);
    facts_.preset = &preset_;
  }
  const auto* route = facts_.matched;
  parser_.limit_body(route && route->how.max_body ? *route->how.max_body : setup.options.max_body);
}

bool connection::is_answered_at_once() const {
  if (!service_->setup().chain.empty()) return false;
  return facts_.preset || (facts_.matched->call.plain && !facts_.matched->call.takes_body);
}

awaitable<bool> connection::handle_request() {
  begin_request();
  response r;
  if (is_answered_at_once()) {
    r = facts_.preset ? preset_ : detail::answer_of_plain_route(request_);
  } else {
    watch_while_handled();
    try {
      auto made = co_await service_->setup().chain.run(0, request_);
      r = std::move(made);
    } catch (...) {
      r = detail::answer_of_exception(request_);
    }
    io_.wait_for_nothing();
  }
  served_one_ = true;
  if (r.upgrade) {
    auto serving = serve_websocket(std::exchange(r, response()));
    co_await std::move(serving);
    co_return false;
  }
  reply_.begin(r, facts_of_reply());
  if (reply_.has_more(r)) co_await write_reply_body(r);
  const bool is_time = io_.queue_answer(service_->setup().options.max_pipelined);
  if (is_time && !io_.send_now()) co_await io_.send_rest();
  if (!reply_.keeps_alive()) co_return false;
  if (parser_.has_body()) {
    const bool skipped = co_await body_.skip();
    if (!skipped) co_return false;
  }
  parser_.reset();
  co_return true;
}

void connection::watch_while_handled() {
  io_.watch_peer();
  if (is_cancelled_with_client() && !std::exchange(is_to_watch_, true))
    service_->watch_later(weak_from_this());
}

bool connection::is_cancelled_with_client() const {
  return facts_.matched && facts_.matched->how.disconnect == on_disconnect::cancel;
}

void connection::watch_socket() {
  is_to_watch_ = false;
  if (io_.waiting() == waits_for::handler && is_cancelled_with_client()) io_.watch_socket(weak_from_this());
}

reply_facts connection::facts_of_reply() const {
  reply_facts facts;
  facts.is_head = facts_.method == "HEAD";
  facts.minor_version = parser_.minor_version();
  facts.keep_alive = parser_.keeps_alive() && !ending_ && !service_->is_stopping() && body_.can_be_skipped();
  facts.date = service_->date.now();
  return facts;
}

awaitable<void> connection::write_reply_body(const response& r) {
  io_.watch_peer();
  co_await reply_.write_body(r);
  io_.wait_for_nothing();
}

// The WebSocket owns the connection from now on; it may outlive this coroutine.
awaitable<void> connection::serve_websocket(response r) {
  append_response_header(io_.out, r.status, r.headers);
  if (!io_.send_now()) co_await io_.send_rest();
  io_.wait_for_nothing();
  in_use_by_websocket_ = true;
  // What is not needed any more would be kept as long as the WebSocket is.
  const auto upgrade = std::move(r.upgrade);
  r = response();
  io_.out = std::string();
  const std::shared_ptr<stream> transport(shared_from_this(), &io_.transport());
  const auto link = ws::websocket_link::start(transport, io_.in.unread(), ws::role::server,
                                              upgrade->setup->options, upgrade->agreed);
  websocket_ = link;
  io_.in.clear();
  if (ending_) link->begin_closing(close_code::going_away, {});
  std::uint16_t code = close_code::normal;
  websocket socket(link);
  try {
    co_await upgrade->serve(socket);
  } catch (const websocket_closed&) {
  } catch (const std::exception& e) {
    code = facts_.cancelled ? close_code::going_away : close_code::unexpected;
    if (!facts_.cancelled) base::log().error("{} {}: {}", facts_.method, facts_.path, e.what());
  }
  link->begin_closing(code, {});
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await link->wait_closed();
}

// ---- the end

void connection::peer_gone() {
  const auto how = facts_.matched ? facts_.matched->how.disconnect : on_disconnect::by_method;
  const bool may_cancel =
      how == on_disconnect::cancel || (how == on_disconnect::by_method && is_safe(facts_.method));
  if (may_cancel) cancel();
}

void connection::end() {
  ending_ = true;
  if (const auto link = websocket_.lock()) link->begin_closing(close_code::going_away, {});
  const bool waits = io_.waiting() == waits_for::request || io_.waiting() == waits_for::header;
  if (waits && !has_begun() && io_.is_quiet()) io_.stop_reading();
}

void connection::cancel() {
  facts_.cancelled = true;
  signal_.emit(asio::cancellation_type::terminal);
}

}  // namespace quarq::http
