#include "http/server/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include <quarq/http/problem.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "codecs/utf8.hpp"
#include "http/message/writer.hpp"
#include "http/server/early_answer.hpp"
#include "http/server/service.hpp"
#include "http/server/upgrade.hpp"

namespace quarq::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t first_space = std::size_t{4} << 10;
constexpr std::size_t body_space = std::size_t{64} << 10;
constexpr std::size_t max_idle_space = std::size_t{16} << 10;
constexpr std::size_t max_unsent = std::size_t{64} << 10;
// Of a body that no handler wanted: more costs more than a new connection.
constexpr std::uint64_t max_drained = std::uint64_t{64} << 10;
constexpr milliseconds drain_timeout{5'000};
constexpr std::uint64_t body_bytes_per_second = 240;
constexpr milliseconds watch_interval{200};

message_limits limits_of(const server_options& o) {
  message_limits l;
  l.start_line = o.max_request_line;
  l.field = o.max_field;
  l.fields = o.max_fields;
  l.header = o.max_header;
  l.body = o.max_body;
  return l;
}

// Also without a peer any more.
std::string address_of(const tcp::socket& socket) {
  error_code ec;
  const auto peer = socket.remote_endpoint(ec);
  return ec ? std::string() : text_of(peer);
}

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

}  // namespace

connection::connection(std::shared_ptr<service> of, tcp::socket socket)
    : service_(std::move(of)),
      stream_(std::move(socket)),
      parser_(limits_of(service_->setup().options)),
      request_(facts_) {
  facts_.headers = &parser_.headers();
  facts_.peer = address_of(stream_.socket());
  facts_.has_tls = service_->setup().tls != nullptr;
  facts_.state = &service_->setup().state;
  facts_.body = this;
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
}

connection::~connection() = default;

awaitable<void> connection::run() {
  try {
    if (service_->setup().tls) {
      wait_for(waits_for::header, service_->setup().options.header_timeout);
      co_await stream_.start_tls(service_->setup().tls, {});
    }
    co_await serve();
    if (!send_now()) co_await send_rest();
    wait_for(waits_for::nothing, milliseconds(0));
    // What the peer has sent meanwhile must not reset the connection before it has read the answer.
    if (!in_use_by_websocket_) co_await stream_.finish();
  } catch (const std::exception& e) {
    base::log().debug("{}: closed: {}", facts_.peer, e.what());
  }
  service_->wheel.clear(*this);
  stream_.close();
}

awaitable<void> connection::serve() {
  const auto& options = service_->setup().options;
  while (true) {
    const auto step = parser_.feed(unread());
    in_begin_ += step.used;
    if (step.event == parse_event::failed) {
      refuse(parser_.error());
      co_return;
    }
    if (step.event == parse_event::header) {
      const bool goes_on = co_await handle_request();
      if (!goes_on) co_return;
      continue;
    }
    if (!send_now()) co_await send_rest();
    const bool has_begun = parser_.has_begun() || !unread().empty();
    if (ending_ && !has_begun && is_quiet()) co_return;
    shrink_buffers();
    const bool in_header = has_begun || !served_one_;
    const bool more = co_await read_more(in_header ? waits_for::header : waits_for::request,
                                         in_header ? left_for_header() : options.idle_timeout);
    if (more) continue;
    if (timed_out_ && parser_.has_begun()) {
      refuse({408, fmt::format("the header did not come within {}",
                               base::human_duration(options.header_timeout))});
    }
    co_return;
  }
}

// For the header as a whole, not for each part of it.
milliseconds connection::left_for_header() {
  const auto now = std::chrono::steady_clock::now();
  if (!std::exchange(header_began_, true)) header_deadline_ = now + service_->setup().options.header_timeout;
  return std::max(std::chrono::duration_cast<milliseconds>(header_deadline_ - now), milliseconds(0));
}

// A request that is not well-formed reaches neither middlewares nor handlers.
void connection::refuse(const message_error& e) {
  base::log().debug("{}: refused with {}: {}", facts_.peer, e.status, e.what);
  const auto answer = answer_of(problem(e.status, e.what));
  reply_facts facts;
  facts.keep_alive = false;
  facts.date = service_->date.now();
  append_reply_header(out_, answer, facts);
  out_ += answer.body;
}

// ---- a request

void connection::begin_request() {
  const auto& setup = service_->setup();
  header_began_ = body_over_ = body_broken_ = sent_continue_ = false;
  body_received_ = body_written_ = 0;
  body_waited_ = milliseconds(0);
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
    auto made = co_await answer();
    r = std::move(made);
  }
  served_one_ = true;
  if (r.upgrade) {
    co_await serve_websocket(r);
    co_return false;
  }
  plan_ = begin_reply(r);
  if (plan_.framing != body_framing::none && r.write_body) co_await write_reply_body(r);
  if (++answers_unsent_ >= service_->setup().options.max_pipelined || out_.size() >= max_unsent) {
    if (!send_now()) co_await send_rest();
  }
  if (!plan_.keep_alive) co_return false;
  if (!body_over_ && parser_.has_body()) {
    const bool drained = co_await drain_body();
    if (!drained) co_return false;
  }
  parser_.reset();
  co_return true;
}

// The WebSocket owns the connection from now on; it may outlive this coroutine.
awaitable<void> connection::serve_websocket(const response& r) {
  append_response_header(out_, r.status, r.headers);
  if (!send_now()) co_await send_rest();
  wait_for(waits_for::nothing, milliseconds(0));
  in_use_by_websocket_ = true;
  const auto& upgrade = *r.upgrade;
  const std::shared_ptr<stream> io(shared_from_this(), &stream_);
  const auto link =
      ws::websocket_link::start(io, unread(), ws::role::server, upgrade.setup->options, upgrade.agreed);
  websocket_ = link;
  in_.reset();
  in_capacity_ = in_begin_ = in_end_ = 0;
  if (ending_) link->begin_closing(close_code::going_away, {});
  std::uint16_t code = close_code::normal;
  websocket socket(link);
  try {
    co_await upgrade.serve(socket);
  } catch (const websocket_closed&) {
  } catch (const std::exception& e) {
    code = facts_.cancelled ? close_code::going_away : close_code::unexpected;
    if (!facts_.cancelled) base::log().error("{} {}: {}", facts_.method, facts_.path, e.what());
  }
  link->begin_closing(code, {});
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await link->wait_closed();
}

namespace {

// Counts a request that is being handled.
class flight {
 public:
  flight(std::size_t& count, bool& runs) : count_(count), runs_(runs) {
    ++count_;
    runs_ = true;
  }
  ~flight() {
    --count_;
    runs_ = false;
  }
  flight(const flight&) = delete;
  flight& operator=(const flight&) = delete;

 private:
  std::size_t& count_;
  bool& runs_;
};

}  // namespace

awaitable<response> connection::answer() {
  const flight counted(service_->in_flight, runs_handler_);
  wait_for(waits_for::handler, watch_interval);
  response result;
  try {
    auto made = co_await service_->setup().chain.run(0, request_);
    result = std::move(made);
  } catch (...) {
    result = detail::answer_of_exception(request_);
  }
  wait_for(waits_for::nothing, milliseconds(0));
  co_return result;
}

// ---- the answer

// Whether another request can follow: the rest of this one's body must be near, if there is one.
bool connection::can_keep_alive() const {
  if (!parser_.keeps_alive() || ending_ || service_->is_stopping() || body_broken_) return false;
  if (body_over_ || !parser_.has_body()) return true;
  if (parser_.expects_continue() && !sent_continue_ && unread().empty()) return false;
  return parser_.content_length().value_or(0) -
             std::min(parser_.content_length().value_or(0), body_received_) <=
         max_drained;
}

reply_plan connection::begin_reply(const response& r) {
  reply_facts facts;
  facts.is_head = facts_.method == "HEAD";
  facts.minor_version = parser_.minor_version();
  facts.keep_alive = can_keep_alive();
  facts.date = service_->date.now();
  const std::size_t before = out_.size();
  reply_plan plan;
  try {
    plan = append_reply_header(out_, r, facts);
    if (plan.framing == body_framing::sized && !r.write_body) out_ += r.body;
  } catch (const usage_error& e) {
    base::log().error("{} {}: {}", facts_.method, facts_.path, e.what());
    out_.resize(before);
    const auto failed = answer_of(problem(500));
    plan = append_reply_header(out_, failed, facts);
    if (plan.framing == body_framing::sized) out_ += failed.body;
    plan.framing = body_framing::none;
  }
  return plan;
}

awaitable<void> connection::write_reply_body(const response& r) {
  const flight counted(service_->in_flight, runs_handler_);
  wait_for(waits_for::handler, watch_interval);
  try {
    co_await r.write_body(*this);
  } catch (const system_error&) {  // the peer is gone
    throw;
  } catch (const std::exception& e) {
    base::log().error("{} {}: the body's writer threw {}: {}", facts_.method,
                      codecs::printable(facts_.path, 500), base::type_name(typeid(e)), e.what());
    throw;
  }
  wait_for(waits_for::nothing, milliseconds(0));
  if (plan_.framing == body_framing::chunked) append_last_chunk(out_);
  if (plan_.framing == body_framing::sized && body_written_ != plan_.length) {
    throw usage_error(
        fmt::format("a body of {} bytes was announced, and {} were written", plan_.length, body_written_));
  }
}

awaitable<void> connection::write(std::string_view bytes) {
  body_written_ += bytes.size();
  if (plan_.framing == body_framing::chunked) {
    append_chunk(out_, bytes);
  } else if (plan_.framing == body_framing::sized && body_written_ > plan_.length) {
    throw usage_error(fmt::format("a body of {} bytes was announced, and more were written", plan_.length));
  } else {
    out_ += bytes;
  }
  if (!send_now()) co_await send_rest();
}

// ---- the body of the request

awaitable<std::string_view> connection::read_some() {
  while (!body_over_) {
    const auto step = parser_.feed(unread());
    in_begin_ += step.used;
    if (step.event == parse_event::end) body_over_ = true;
    if (step.event == parse_event::body && !step.data.empty()) {
      body_received_ += step.data.size();
      co_return step.data;
    }
    if (step.event == parse_event::failed) {
      body_broken_ = true;
      throw problem(parser_.error().status, parser_.error().what);
    }
    if (step.event != parse_event::needs_more) continue;
    if (parser_.expects_continue() && !std::exchange(sent_continue_, true) && unread().empty() &&
        body_received_ == 0) {
      out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    }
    if (!send_now()) co_await send_rest();
    const bool more = co_await read_more_of_body();
    if (more) continue;
    body_broken_ = true;
    if (timed_out_) throw problem(408, "the body comes too slowly");
    throw problem(400, "the connection was closed within the body");
  }
  co_return std::string_view();
}

// How long the client may still let us wait, in all: a time, and a second more for each 240 bytes.
awaitable<bool> connection::read_more_of_body() {
  const milliseconds earned(body_received_ * 1000 / body_bytes_per_second);
  const auto left = service_->setup().options.body_timeout + earned - body_waited_;
  const auto began = std::chrono::steady_clock::now();
  const bool more = co_await read_more(waits_for::body, std::max(left, milliseconds(0)));
  body_waited_ += std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
  wait_for(waits_for::handler, watch_interval);
  co_return more;
}

// What no handler has read.
awaitable<bool> connection::drain_body() {
  std::uint64_t drained = 0;
  while (!body_over_) {
    const auto step = parser_.feed(unread());
    in_begin_ += step.used;
    if (step.event == parse_event::end) break;
    if (step.event == parse_event::failed) co_return false;
    drained += step.data.size();
    if (drained > max_drained) co_return false;
    if (step.event != parse_event::needs_more) continue;
    if (!send_now()) co_await send_rest();
    const bool more = co_await read_more(waits_for::body, drain_timeout);
    if (!more) co_return false;
  }
  co_return true;
}

// ---- bytes

std::string_view connection::unread() const noexcept {
  return {in_.get() + in_begin_, in_end_ - in_begin_};
}

void connection::make_space() {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  const std::size_t wanted = parser_.has_body() && parser_.content_length().value_or(body_space) >= body_space
                                 ? body_space
                                 : first_space;
  const bool is_full = in_end_ == in_capacity_;
  if (in_begin_ > 0 && is_full) {
    std::memmove(in_.get(), in_.get() + in_begin_, in_end_ - in_begin_);
    in_end_ -= std::exchange(in_begin_, 0);
  }
  if (in_capacity_ >= wanted && in_end_ < in_capacity_) return;
  const std::size_t capacity = std::max(wanted, in_end_ == in_capacity_ ? in_capacity_ * 2 : in_capacity_);
  auto larger = std::make_unique<char[]>(capacity);
  if (in_) std::memcpy(larger.get(), in_.get(), in_end_);
  in_ = std::move(larger);
  in_capacity_ = capacity;
}

void connection::shrink_buffers() {
  if (in_capacity_ > max_idle_space && in_begin_ == in_end_) {
    in_.reset();
    in_capacity_ = in_begin_ = in_end_ = 0;
  }
  if (out_.capacity() > max_unsent * 2 && out_.empty()) out_.shrink_to_fit();
}

awaitable<bool> connection::read_more(waits_for what, milliseconds max) {
  make_space();
  // A deadline that is set again and again by a peer that trickles would never pass.
  timed_out_ = max <= milliseconds(0);
  if (timed_out_) co_return false;
  wait_for(what, max);
  std::size_t size = 0;
  if (stream_.has_tls()) {
    size = co_await stream_.read_some({in_.get() + in_end_, in_capacity_ - in_end_});
  } else {
    error_code ec;
    size =
        co_await stream_.socket().async_read_some(asio::buffer(in_.get() + in_end_, in_capacity_ - in_end_),
                                                  asio::redirect_error(asio::use_awaitable, ec));
    if (ec && ec != asio::error::eof && !timed_out_ && !ending_) throw system_error(ec);
  }
  waiting_ = waits_for::nothing;
  in_end_ += size;
  co_return size > 0;
}

bool connection::send_now() {
  if (out_.empty()) return true;
  if (stream_.has_tls()) return false;
  while (out_sent_ < out_.size()) {
    const auto size = ::send(stream_.socket().native_handle(), out_.data() + out_sent_,
                             out_.size() - out_sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0) {
      out_sent_ += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return false;
    } else if (errno != EINTR) {
      throw system_error(errno, boost::system::system_category());
    }
  }
  out_.clear();
  out_sent_ = 0;
  answers_unsent_ = 0;
  return true;
}

awaitable<void> connection::send_rest() {
  const auto before = waiting_;
  if (stream_.has_tls()) {
    wait_for(waits_for::room, service_->setup().options.write_timeout);
    co_await stream_.write(out_);
    out_.clear();
    answers_unsent_ = 0;
  }
  while (!send_now()) {
    wait_for(waits_for::room, service_->setup().options.write_timeout);
    co_await stream_.socket().async_wait(tcp::socket::wait_write, asio::use_awaitable);
  }
  wait_for(runs_handler_ ? waits_for::handler : before, watch_interval);
}

// ---- deadlines, and the end

void connection::wait_for(waits_for what, milliseconds max) {
  waiting_ = what;
  if (what == waits_for::nothing) {
    service_->wheel.clear(*this);
  } else {
    service_->wheel.set(*this, max);
  }
}

void connection::deadline_passed() {
  switch (waiting_) {
    case waits_for::nothing:
      break;
    case waits_for::room:
      stream_.close();
      break;
    case waits_for::handler:
      if (peer_is_gone()) {
        const auto how = facts_.matched ? facts_.matched->how.disconnect : on_disconnect::by_method;
        if (how == on_disconnect::cancel || (how == on_disconnect::by_method && is_safe(facts_.method)))
          cancel();
      } else {
        service_->wheel.set(*this, watch_interval);
      }
      break;
    default:
      timed_out_ = true;
      error_code ignored;
      stream_.socket().cancel(ignored);
  }
}

bool connection::is_quiet() {
  char byte = 0;
  const auto size = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

// Behind what it has sent and we have not read, its end is not seen.
bool connection::peer_is_gone() {
  char byte = 0;
  const auto size = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void connection::end() {
  ending_ = true;
  if (const auto link = websocket_.lock()) link->begin_closing(close_code::going_away, {});
  const bool is_idle = (waiting_ == waits_for::request || waiting_ == waits_for::header) &&
                       !parser_.has_begun() && unread().empty();
  if (!is_idle || !is_quiet()) return;
  error_code ignored;
  stream_.socket().cancel(ignored);
}

void connection::cancel() {
  facts_.cancelled = true;
  signal_.emit(asio::cancellation_type::terminal);
}

}  // namespace quarq::http
