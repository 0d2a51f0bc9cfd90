#include "http/client/transaction.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/time.hpp>

#include "http/client/dates.hpp"
#include "http/client/redirect.hpp"
#include "http/message/writer.hpp"
#include "http/net/connect.hpp"
#include "http/websocket/open.hpp"

namespace quarq::http {

namespace asio = boost::asio;
using boost::system::system_error;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

namespace {

constexpr int max_dead_connections = 20;                      // one after the other, for one request
constexpr std::size_t max_discarded = std::size_t{64} << 10;  // of a body that nobody wants
constexpr std::size_t sent_with_header = std::size_t{8}
                                         << 10;  // a body so small goes into one buffer with it
constexpr std::size_t decoded_at_once = std::size_t{16} << 10;

// A packet may hold thousands of small chunks, or a thousand times its size compressed.
std::size_t cost_of(std::string_view piece) {
  return 1 + piece.size() / 1024;
}

bool is_cancellation(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::string cause_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const system_error& e) {
    return e.code().message();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown error";
  }
}

// Whatever can be used again has one text. Requests with other credentials for the proxy do not share.
std::string host_key(const url& target, const std::optional<url>& proxy) {
  if (!proxy) return target.origin();
  const auto through = fmt::format(" through {}:{}@{}", proxy->user, proxy->password, proxy->authority());
  return target.tls ? target.origin() + through : through;
}

// The end of time if the clock can't show the sum.
steady::time_point after(steady::time_point begin, milliseconds wait) {
  const auto longest = std::chrono::duration_cast<milliseconds>(steady::time_point::max() - begin);
  return wait < longest ? begin + wait : steady::time_point::max();
}

double random_fraction() {
  static thread_local std::minstd_rand source{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(source);
}

}  // namespace

transaction::transaction(std::shared_ptr<client::impl> of, outgoing&& request)
    : client_(std::move(of)), request_(std::move(request)), deadline_(after(begun_, request_.timeout)) {}

// Most requests have no use for the texts.
request_error::position transaction::position() const {
  auto where = where_;
  where.method = request_.method;
  where.url = request_.target.text();
  where.host = request_.target.host;
  where.port = request_.target.port;
  return where;
}

request_error transaction::past_deadline() const {
  auto where = position();
  where.timed_out = true;
  return request_error(where, fmt::format("not done within {} ms", request_.timeout.count()));
}

void transaction::fail(std::string cause) {
  where_.may_have_arrived = request_was_written();
  drop_connection();
  throw request_error(position(), std::move(cause));
}

void transaction::fail(const std::exception_ptr& failure) {
  const bool late = is_late();
  if (!late && !is_the_callers_ && !is_cancellation(failure)) fail(cause_of(failure));
  where_.may_have_arrived = request_was_written();
  drop_connection();
  if (late) throw past_deadline();
  std::rethrow_exception(failure);
}

// By the deadline of take_idle_connection(), which closes the connection.
bool transaction::is_late() const {
  return lease_.get() != nullptr && lease_.get()->deadline_passed();
}

void transaction::drop_connection() noexcept {
  answer_ = nullptr;
  lease_.drop();
}

// At least a byte of it, as far as the kernel says.
bool transaction::request_was_written() const {
  return answer_ != nullptr && lease_.get()->io->sent() != sent_before_;
}

// ---- the common case

bool transaction::take_idle_connection(const asio::any_io_executor& loop) {
  if (request_.stream || request_.target.tls || request_.body.size() > sent_with_header ||
      client_->options().max_silence.count() != 0)
    return false;
  const auto proxy = client_->proxies().proxy_for(request_.target);
  lease_ = connection_pool::try_reuse(client_->pool_of(loop), host_key(request_.target, proxy), begun_);
  if (!lease_) return false;
  lease_.get()->set_deadline(deadline_);
  return true;
}

// The rest is a matter of retries and redirects.
bool transaction::answer_is_final() const {
  const bool may_be_redirect = status_ >= 300 && status_ < 400;
  return !is_failure(status_) && (!may_be_redirect || request_.max_redirects == 0);
}

transaction::progress transaction::end_first_exchange(std::exception_ptr failure, std::string& body) {
  if (failure && (is_cancellation(failure) || is_late())) fail(failure);
  if (failure || !answer_is_final()) {
    // begin() has a deadline of its own.
    if (lease_) lease_.get()->set_deadline(std::nullopt);
    has_first_exchange_ = true;
    first_failure_ = failure;
    return progress::none;
  }
  client_->succeeded();
  try {
    return take_pieces(body) ? progress::whole : progress::header;
  } catch (...) {
    failure = std::current_exception();
  }
  fail(failure);
}

// ---- redirects and retries

awaitable<void> transaction::begin() {
  for (int followed = 0;; ++followed) {
    co_await answer_with_retries();
    const bool goes_on = co_await follow_redirect(followed);
    if (!goes_on) co_return;
  }
}

awaitable<bool> transaction::follow_redirect(int followed) {
  const auto decision = decide_redirect({status_, headers_["Location"], request_.method, request_.target,
                                         request_.has_body, request_.body_can_be_sent_again()});
  if (decision.what == redirect_decision::kind::none || request_.max_redirects == 0) co_return false;
  if (decision.what == redirect_decision::kind::follow && followed < request_.max_redirects) {
    co_await discard_answer();
    clean_for_redirect(request_.headers, decision);
    request_.target = decision.to;
    request_.method = decision.method;
    if (const auto own = basic_credentials(decision.to); !own.empty() && !decision.keeps_credentials)
      request_.headers.set("Authorization", own);
    if (!decision.keeps_body) {
      request_.has_body = false;
      request_.body.clear();
      request_.stream.reset();
    }
    co_return true;
  }
  enter(request_step::redirect);
  if (decision.what == redirect_decision::kind::refuse) fail(decision.why);
  fail(fmt::format("there are more than {} redirects, the last one to {}", request_.max_redirects,
                   decision.to.origin()));
}

awaitable<void> transaction::answer_with_retries() {
  where_.attempt = 1;
  for (int attempt = 1;; ++attempt, ++where_.attempt) {
    std::exception_ptr failure;
    try {
      co_await answer_over_a_live_connection();
    } catch (const request_error&) {
      failure = std::current_exception();
    }
    if (!failure && !is_failure(status_)) {
      client_->succeeded();
      co_return;
    }
    const auto pause = pause_before_retry(attempt, !failure);
    if (!pause && failure) std::rethrow_exception(failure);
    if (!pause) co_return;
    co_await discard_answer();
    co_await sleep_for(*pause);
  }
}

std::optional<milliseconds> transaction::pause_before_retry(int attempt, bool answered) {
  failed_attempt facts;
  // Connections that were dead do not count: they are in where_.attempt only.
  facts.attempt = attempt;
  facts.idempotent = request_.is_idempotent();
  facts.body_can_be_sent_again = request_.body_can_be_sent_again();
  facts.may_have_arrived = answered || where_.may_have_arrived;
  facts.status = answered ? status_ : 0;
  if (answered) facts.retry_after = retry_after_of(headers_["Retry-After"], std::chrono::system_clock::now());
  facts.until_deadline = std::chrono::duration_cast<milliseconds>(deadline_ - steady::now());
  facts.random = random_fraction();
  return client_->pause_before_retry(facts);
}

awaitable<void> transaction::answer_over_a_live_connection() {
  for (int dead = 0;; ++dead) {
    auto failure = std::exchange(first_failure_, nullptr);
    if (!std::exchange(has_first_exchange_, false)) {
      try {
        co_await exchange();
      } catch (...) {
        failure = std::current_exception();
      }
    }
    if (!failure) co_return;
    const bool is_final = is_the_callers_ || is_cancellation(failure) || dead == max_dead_connections;
    if (is_final || !goes_to_another_connection(facts_of_failure())) fail(failure);
    drop_connection();
    ++where_.attempt;
  }
}

broken_connection transaction::facts_of_failure() const {
  broken_connection facts;
  facts.reused = where_.reused;
  facts.answer_has_begun = answer_ && answer_->has_begun();
  facts.request_was_written = request_was_written();
  facts.idempotent = request_.is_idempotent();
  facts.body_can_be_sent_again = request_.body_can_be_sent_again();
  return facts;
}

// ---- one exchange over one connection

awaitable<void> transaction::exchange() {
  const auto proxy = client_->proxies().proxy_for(request_.target);
  if (!lease_) co_await take_connection(proxy);
  use_connection();
  auto header = header_now(proxy);

  enter(request_step::writing);
  std::exception_ptr failure;
  try {
    if (!write_now(header)) co_await write_request(header);
    request_is_complete_ = true;
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && (is_the_callers_ || is_cancellation(failure))) std::rethrow_exception(failure);

  // A server that refuses a body may answer and close before it has read it.
  if (!failure) enter(request_step::first_byte);
  std::exception_ptr no_answer;
  try {
    while (!answer_->take_header()) co_await answer_->read_more();
  } catch (...) {
    no_answer = std::current_exception();
  }
  if (no_answer && failure && !is_cancellation(no_answer)) std::rethrow_exception(failure);
  if (no_answer) std::rethrow_exception(no_answer);
  enter(request_step::reading);
  take_header();
  if (answer_->parser().has_body()) co_return;
  // Its end is read without waiting.
  answer_->take_body();
  end_exchange();
}

void transaction::use_connection() {
  auto& connection = *lease_.get();
  where_.reused = connection.served;
  where_.address = connection.address;
  decoder_.reset();
  request_is_complete_ = false;
  sent_before_ = connection.io->sent();
  answer_ = &connection.answer;
  answer_->begin(request_.method, client_->options().max_silence);
}

std::string transaction::header_now(const std::optional<url>& proxy) const {
  const bool through_proxy = proxy && !request_.target.tls;
  added_fields added;
  added.cookies = client_->cookies_for(request_.target);
  if (through_proxy) added.proxy_authorization = basic_credentials(*proxy);
  return header_of(request_, through_proxy, added);
}

void transaction::take_header() {
  auto& parser = answer_->parser();
  status_ = parser.status();
  reason_ = parser.reason();
  headers_ = parser.take_headers();
  client_->keep_cookies(request_.target, headers_);
  if (!request_.decompress || !parser.has_body()) return;
  std::string all;
  for (const auto one : headers_.find_all("Content-Encoding")) all.append(one).append(",");
  const auto codings = codings_of(all);
  // The caller gets a body with unknown codings as it is, and sees the field.
  if (!codings || codings->empty()) return;
  decoder_ = std::make_unique<content_decoder>(*codings);
  headers_.erase("Content-Encoding");
  headers_.erase("Content-Length");
}

awaitable<void> transaction::take_connection(const std::optional<url>& proxy) {
  answer_ = nullptr;
  where_.reused = false;
  where_.address.clear();
  enter(request_step::waiting_for_a_connection);
  const auto loop = co_await asio::this_coro::executor;
  const auto pool = client_->pool_of(loop);
  lease_ = co_await connection_pool::acquire(pool, host_key(request_.target, proxy));
  if (lease_.get() == nullptr) {
    auto opened = co_await open_connection(proxy);
    lease_.set(std::move(opened));
  }
}

awaitable<std::unique_ptr<pooled_connection>> transaction::open_connection(const std::optional<url>& proxy) {
  const auto& to = proxy ? *proxy : request_.target;
  enter(request_step::looking_up);
  const auto found = co_await client_->names().look_up(to.host);
  std::vector<asio::ip::tcp::endpoint> addresses;
  for (const auto& one : found) addresses.emplace_back(one, to.port);

  enter(request_step::connecting);
  auto socket = co_await connect_to_any(std::move(addresses), where_.address);
  const auto loop = co_await asio::this_coro::executor;
  auto opened =
      std::make_unique<pooled_connection>(std::make_unique<stream>(std::move(socket)),
                                          loop_deadlines::of(asio::query(loop, asio::execution::context)));
  opened->address = where_.address;
  if (proxy && (request_.target.tls || needs_tunnel_)) {
    enter(request_step::proxy);
    co_await ask_proxy(*opened->io, *proxy);
  }
  if (!request_.target.tls) co_return opened;

  enter(request_step::tls);
  co_await opened->io->start_tls(client_->tls(), request_.target.host);
  co_return opened;
}

awaitable<websocket> transaction::open_websocket(websocket_options options) {
  needs_tunnel_ = true;
  std::exception_ptr failure;
  try {
    const auto proxy = client_->proxies().proxy_for(request_.target);
    auto opened = co_await open_connection(proxy);
    where_.address = opened->address;
    enter(request_step::first_byte);
    auto made = co_await ws::open_websocket(std::move(opened->io), request_.target.host_field(),
                                            request_.target.target, request_.headers, options);
    co_return made;
  } catch (...) {
    failure = std::current_exception();
  }
  fail(failure);
}

awaitable<void> transaction::ask_proxy(stream& io, const url& proxy) {
  const auto authority = request_.target.authority();
  fields headers{{"Host", authority}};
  if (const auto credentials = basic_credentials(proxy); !credentials.empty())
    headers.set("Proxy-Authorization", credentials);
  std::string header;
  append_request_header(header, "CONNECT", authority, headers);
  co_await io.write(header);
  answer_reader answer(io);
  answer.begin("CONNECT", milliseconds(0));
  co_await answer.read_header();
  const int status = answer.parser().status();
  if (status < 200 || status > 299)
    throw answer_error(fmt::format("the proxy refuses: {} {}", status, answer.parser().reason()));
  co_await answer.read_body();
  if (answer.has_unused()) throw answer_error("the proxy sent something behind its answer");
}

// Whether that was all of the request. What the kernel has taken of the header is cut off; few requests are larger than
// its buffer.
bool transaction::write_now(std::string& header) {
  if (request_.stream || request_.body.size() > sent_with_header) return false;
  header += request_.body;
  header.erase(0, lease_.get()->io->try_write(header));
  return header.empty();
}

awaitable<void> transaction::write_request(std::string_view header) {
  auto& io = *lease_.get()->io;
  if (request_.stream) {
    co_await write_stream(io, header);
  } else if (request_.body.size() > sent_with_header) {
    co_await io.write(header, request_.body);
  } else {
    co_await io.write(header);
  }
}

awaitable<void> transaction::write_stream(stream& io, std::string_view header) {
  std::uint64_t left = request_.stream->size.value_or(0);
  const bool is_chunked = !request_.stream->size;
  co_await io.write(header);
  request_.stream_has_begun = true;
  while (true) {
    std::string piece;
    try {
      piece = co_await request_.stream->next();
      if (!is_chunked && (piece.size() > left || (piece.empty() && left > 0)))
        throw usage_error(
            fmt::format("the body stream has not the {} bytes that it announced", *request_.stream->size));
    } catch (...) {
      is_the_callers_ = !is_cancellation(std::current_exception());
      throw;
    }
    if (piece.empty()) break;
    left -= is_chunked ? 0 : piece.size();
    std::string framed;
    if (is_chunked) append_chunk(framed, piece);
    co_await io.write(is_chunked ? std::string_view(framed) : std::string_view(piece));
  }
  std::string end;
  if (is_chunked) append_last_chunk(end);
  if (is_chunked) co_await io.write(end);
}

// ---- the body of the answer

// The next bytes, or "" at the end. False: more must be read first.
bool transaction::take_piece(std::string& piece) {
  piece.clear();
  while (lease_) {
    if (decoder_) {
      piece.resize(decoded_at_once);
      piece.resize(decoder_->read(piece));
      if (!piece.empty()) return true;
    }
    const auto coded = answer_->take_body();
    if (!coded) return false;
    if (coded->empty()) {
      if (decoder_) decoder_->finish();
      end_exchange();
    } else if (decoder_) {
      decoder_->feed(*coded);
    } else {
      piece = *coded;
      return true;
    }
  }
  return true;
}

awaitable<void> transaction::next_piece(std::string& piece) {
  if (turn_.is_over()) co_await async::next_turn();
  while (!take_piece(piece)) {
    co_await answer_->read_more();
    turn_.begin();
  }
  turn_.spend(cost_of(piece));
}

awaitable<std::string> transaction::read() {
  std::exception_ptr failure;
  std::string piece;
  try {
    co_await next_piece(piece);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) fail(failure);
  co_return piece;
}

void transaction::append(std::string& body, std::string& piece) const {
  if (piece.size() > request_.max_body - body.size())
    throw answer_error(fmt::format("the body is larger than {} bytes", request_.max_body));
  if (body.empty())
    body = std::move(piece);
  else
    body += piece;
}

// Appends what is there. False: that was not all.
bool transaction::take_pieces(std::string& body) {
  std::string piece;
  while (!turn_.is_over() && take_piece(piece)) {
    if (piece.empty()) return true;
    turn_.spend(cost_of(piece));
    append(body, piece);
  }
  return false;
}

awaitable<void> transaction::read_all(std::string& body) {
  std::exception_ptr failure;
  try {
    std::string piece;
    while (true) {
      co_await next_piece(piece);
      if (piece.empty()) break;
      append(body, piece);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) fail(failure);
}

// So that its connection can be used for the next request, if that is cheap.
awaitable<void> transaction::discard_answer() {
  decoder_.reset();
  std::size_t discarded = 0;
  std::exception_ptr failure;
  try {
    while (lease_ && discarded <= max_discarded) {
      const auto piece = co_await answer_->read_body();
      discarded += piece.size();
      if (piece.empty()) end_exchange();
    }
  } catch (...) {
    failure = std::current_exception();
  }
  drop_connection();
  if (failure && is_cancellation(failure)) std::rethrow_exception(failure);
}

void transaction::end_exchange() {
  const bool is_usable = request_is_complete_ && answer_->connection_can_be_reused() && !is_late();
  if (!is_usable) {
    drop_connection();
    return;
  }
  answer_ = nullptr;
  lease_.give_back(kept_alive_for(headers_["Keep-Alive"], client_->options().max_idle));
}

}  // namespace quarq::http
