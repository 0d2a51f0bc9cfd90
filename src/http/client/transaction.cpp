#include "http/client/transaction.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <quarq/detail/duration.hpp>
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

double random_fraction() {
  static thread_local std::minstd_rand source{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(source);
}

}  // namespace

transaction::transaction(std::shared_ptr<client::impl> of, outgoing request)
    : client_(std::move(of)),
      request_(std::move(request)),
      deadline_(quarq::detail::after(request_.timeout)) {
  locate();
}

void transaction::locate() {
  where_.method = request_.method;
  where_.url = request_.target.text();
  where_.host = request_.target.host;
  where_.port = request_.target.port;
}

request_error transaction::past_deadline() const {
  auto where = where_;
  where.timed_out = true;
  return request_error(where, fmt::format("not done within {} ms", request_.timeout.count()));
}

void transaction::fail(std::string cause) {
  where_.may_have_arrived = request_was_written();
  lease_.drop();
  throw request_error(where_, std::move(cause));
}

void transaction::fail(const std::exception_ptr& failure) {
  if (!is_the_callers_ && !is_cancellation(failure)) fail(cause_of(failure));
  where_.may_have_arrived = request_was_written();
  lease_.drop();
  std::rethrow_exception(failure);
}

// At least a byte of it, as far as the kernel says.
bool transaction::request_was_written() const {
  return answer_ && lease_.get() != nullptr && lease_.get()->io->sent() != sent_before_;
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
    locate();
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
    std::exception_ptr failure;
    try {
      co_await exchange();
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) co_return;
    const bool is_final = is_the_callers_ || is_cancellation(failure) || dead == max_dead_connections;
    if (is_final || !goes_to_another_connection(facts_of_failure())) fail(failure);
    lease_.drop();
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
  answer_.reset();
  decoder_.reset();
  request_is_complete_ = false;
  where_.reused = false;
  const auto proxy = client_->proxies().proxy_for(request_.target);
  co_await take_connection(proxy);
  auto& io = *lease_.get()->io;
  sent_before_ = io.sent();
  answer_ = std::make_unique<answer_reader>(io, request_.method, client_->options().max_silence);
  const bool through_proxy = proxy && !request_.target.tls;
  added_fields added;
  added.cookies = client_->cookies_for(request_.target);
  if (through_proxy) added.proxy_authorization = basic_credentials(*proxy);
  auto header = header_of(request_, through_proxy, added);

  enter(request_step::writing);
  std::exception_ptr failure;
  try {
    co_await write_request(std::move(header));
    request_is_complete_ = true;
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && (is_the_callers_ || is_cancellation(failure))) std::rethrow_exception(failure);

  // A server that refuses a body may answer and close before it has read it.
  if (!failure) enter(request_step::first_byte);
  std::exception_ptr no_answer;
  try {
    co_await answer_->read_header();
  } catch (...) {
    no_answer = std::current_exception();
  }
  if (no_answer && failure && !is_cancellation(no_answer)) std::rethrow_exception(failure);
  if (no_answer) std::rethrow_exception(no_answer);
  enter(request_step::reading);
  take_header();
  if (answer_->parser().has_body()) co_return;
  // Its end is read without waiting.
  co_await answer_->read_body();
  end_exchange();
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
  enter(request_step::waiting_for_a_connection);
  where_.address.clear();
  const auto loop = co_await asio::this_coro::executor;
  const auto pool = client_->pool_of(loop);
  lease_ = co_await connection_pool::acquire(pool, host_key(request_.target, proxy));
  if (lease_.get() == nullptr) {
    auto opened = co_await open_connection(proxy);
    lease_.set(std::move(opened));
  }
  where_.reused = lease_.get()->served;
  where_.address = lease_.get()->address;
}

awaitable<std::unique_ptr<pooled_connection>> transaction::open_connection(const std::optional<url>& proxy) {
  const auto& to = proxy ? *proxy : request_.target;
  enter(request_step::looking_up);
  const auto found = co_await client_->names().look_up(to.host);
  std::vector<asio::ip::tcp::endpoint> addresses;
  for (const auto& one : found) addresses.emplace_back(one, to.port);

  enter(request_step::connecting);
  auto socket = co_await connect_to_any(std::move(addresses), where_.address);
  auto opened = std::make_unique<pooled_connection>(std::make_unique<stream>(std::move(socket)));
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
  answer_reader answer(io, "CONNECT", milliseconds(0));
  co_await answer.read_header();
  const int status = answer.parser().status();
  if (status < 200 || status > 299)
    throw answer_error(fmt::format("the proxy refuses: {} {}", status, answer.parser().reason()));
  co_await answer.read_body();
  if (answer.has_unused()) throw answer_error("the proxy sent something behind its answer");
}

awaitable<void> transaction::write_request(std::string header) {
  auto& io = *lease_.get()->io;
  if (request_.stream) {
    co_await write_stream(io, std::move(header));
    co_return;
  }
  // A request without a body fits into the kernel's buffer, but for those of slow servers.
  const auto sent = request_.body.empty() ? io.try_write(header) : 0;
  const auto left = std::string_view(header).substr(sent);
  if (!left.empty()) co_await io.write(left, request_.body);
}

awaitable<void> transaction::write_stream(stream& io, std::string header) {
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

awaitable<std::string> transaction::read() {
  std::exception_ptr failure;
  std::string piece;
  try {
    while (lease_) {
      if (decoder_) {
        piece.resize(std::size_t{16} << 10);
        piece.resize(decoder_->read(piece));
        if (!piece.empty()) break;
      }
      const auto coded = co_await answer_->read_body();
      if (coded.empty()) {
        if (decoder_) decoder_->finish();
        end_exchange();
      } else if (decoder_) {
        decoder_->feed(coded);
      } else {
        piece = coded;
        break;
      }
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) fail(failure);
  co_return piece;
}

awaitable<std::string> transaction::read_all() {
  std::string body;
  while (true) {
    auto piece = co_await read();
    if (piece.empty()) break;
    if (piece.size() > request_.max_body - body.size())
      fail(fmt::format("the body is larger than {} bytes", request_.max_body));
    if (body.empty())
      body = std::move(piece);
    else
      body += piece;
  }
  co_return body;
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
  lease_.drop();
  if (failure && is_cancellation(failure)) std::rethrow_exception(failure);
}

void transaction::end_exchange() {
  if (!request_is_complete_ || !answer_->connection_can_be_reused()) {
    lease_.drop();
    return;
  }
  lease_.give_back(steady::now() + kept_alive_for(headers_["Keep-Alive"], client_->options().max_idle));
}

}  // namespace quarq::http
