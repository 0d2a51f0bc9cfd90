#include "redis/sentinel_resolver.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include "redis/handshake.hpp"

namespace quarq::redis {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds ask_timeout{2};  // of each sentinel, from looking up its host to its answer
constexpr std::size_t answer_bytes = 4096;

std::string question(const connection_options& sentinel, const std::string& master) {
  std::string bytes;
  if (!sentinel.password.empty()) {
    append_command(bytes, auth_args(sentinel));
  }
  const std::vector<std::string> args{"SENTINEL", "get-master-addr-by-name", master};
  append_command(bytes, args);
  return bytes;
}

void check_auth_reply(const reply& r) {
  if (!r.is_error()) return;
  const std::string what = "AUTH was refused: " + refusal(r.text, refused_by::sentinel);
  if (classify_error(r.text) == error_class::not_ready) throw error(what);
  throw permanent_error(what);
}

awaitable<reply> ask(std::shared_ptr<socket> to, connection_options sentinel, std::string master) {
  co_await to->open(sentinel);
  to->step = "waiting for its answer";
  to->on_written = [to = to.get()](const std::string& failure) {
    if (!failure.empty()) to->drop(failure);
  };
  to->out = question(sentinel, master);
  to->write();
  reply r;
  bool is_authenticated = sentinel.password.empty();
  for (;;) {
    while (to->parser.next(r)) {
      if (is_authenticated) co_return r;
      check_auth_reply(r);
      is_authenticated = true;
    }
    auto space = to->parser.prepare(answer_bytes);
    const std::size_t n = co_await to->read_some(space);
    to->parser.commit(n);
  }
}

}  // namespace

sentinel_resolver::sentinel_resolver(asio::any_io_executor loop, connection_options options)
    : loop_(std::move(loop)), options_(std::move(options)), sentinels_(options_.sentinel) {}

awaitable<connection_options> sentinel_resolver::resolve(std::shared_ptr<sentinel_resolver> self) {
  self->sentinels_.begin();
  while (self->sentinels_.next()) {
    if (self->is_stopped_) throw error("closed");
    co_await ask_next(self);
  }
  const auto& asked = self->sentinels_;
  if (!asked.found()) {
    if (asked.all_permanent()) throw permanent_error(asked.errors());
    throw error(asked.errors());
  }
  auto where = self->options_;
  where.host = asked.master().host;
  where.port = asked.master().port;
  co_return where;
}

awaitable<void> sentinel_resolver::ask_next(std::shared_ptr<sentinel_resolver> self) {
  auto to = std::make_shared<socket>(self->loop_);
  self->socket_ = to;
  asio::steady_timer limit(self->loop_, ask_timeout);
  limit.async_wait([to](error_code ec) {
    if (!ec) to->drop("gave up after " + std::to_string(ask_timeout.count()) + " s of " + to->step);
  });
  auto sentinel = self->next_sentinel();
  bool has_answered = false, is_permanent = false;
  std::string why = "answered";
  try {
    auto answer = co_await ask(to, sentinel, self->options_.sentinel.master);
    has_answered = true;
    self->sentinels_.take(answer);
  } catch (const permanent_error& e) {
    is_permanent = true;
    why = e.what();
  } catch (const boost::system::system_error& e) {
    why = e.code() == asio::error::eof ? "it closed the connection" : e.code().message();
  } catch (const std::exception& e) {
    why = e.what();
  }
  to->drop(why);
  if (!has_answered) self->sentinels_.failed(to->why(), is_permanent);
}

// How to reach the sentinel that is to be asked now.
connection_options sentinel_resolver::next_sentinel() const {
  connection_options one;
  const auto* where = sentinels_.next();
  one.host = where->host;
  one.port = where->port;
  one.username = options_.sentinel.username;
  one.password = options_.sentinel.password;
  one.tls = options_.sentinel.tls;
  one.tls_ca_file = options_.tls_ca_file;
  one.tls_verify = options_.tls_verify;
  return one;
}

void sentinel_resolver::stop() {
  is_stopped_ = true;
  if (const auto current = socket_.lock()) current->drop("closed");
}

std::string sentinel_resolver::progress() const {
  const auto* where = sentinels_.next();
  if (!where) return {};
  const auto current = socket_.lock();
  const auto before = sentinels_.errors().empty() ? std::string() : sentinels_.errors() + "; ";
  return before + "the sentinel at " + host_and_port(*where) + ": still " +
         (current ? current->step : "connecting");
}

}  // namespace quarq::redis
