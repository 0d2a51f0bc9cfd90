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

constexpr std::chrono::seconds ask_limit{2};  // for each sentinel, from looking up its host to its answer
constexpr std::size_t read_bytes = 4096;

std::string questions(const connection_options& sentinel, const std::string& master) {
  std::string bytes;
  if (!sentinel.password.empty()) {
    append_command(bytes, auth_args(sentinel));
  }
  const std::vector<std::string> question{"SENTINEL", "get-master-addr-by-name", master};
  append_command(bytes, question);
  return bytes;
}

void check_sign_in(const reply& r) {
  if (!r.is_error()) return;
  const std::string what = "AUTH was refused: " + r.text;
  if (classify_error(r.text) == error_class::not_ready) throw error(what);
  throw permanent_error(what);
}

awaitable<reply> ask(std::shared_ptr<socket> link, connection_options sentinel, std::string master) {
  co_await link->open(sentinel);
  link->step = "waiting for its answer";
  link->out = questions(sentinel, master);
  link->write([link = link.get()](const std::string& failure) {
    if (!failure.empty()) link->drop(failure);
  });
  reply r;
  bool signed_in = sentinel.password.empty();
  for (;;) {
    while (link->parser.next(r)) {
      if (signed_in) co_return r;
      check_sign_in(r);
      signed_in = true;
    }
    auto space = link->parser.prepare(read_bytes);
    const std::size_t n = co_await link->read_some(space);
    link->parser.commit(n);
  }
}

}  // namespace

sentinel_resolver::sentinel_resolver(asio::any_io_executor loop, connection_options options)
    : loop_(std::move(loop)), options_(std::move(options)), sentinels_(options_.sentinel) {}

awaitable<connection_options> sentinel_resolver::find(std::shared_ptr<sentinel_resolver> self) {
  self->sentinels_.begin();
  while (self->sentinels_.next()) {
    if (self->stopped_) throw error("closed");
    co_await ask_next(self);
  }
  const auto& told = self->sentinels_;
  if (!told.found()) {
    if (told.all_for_good()) throw permanent_error(told.errors());
    throw error(told.errors());
  }
  auto where = self->options_;
  where.host = told.master().host;
  where.port = told.master().port;
  co_return where;
}

awaitable<void> sentinel_resolver::ask_next(std::shared_ptr<sentinel_resolver> self) {
  auto link = std::make_shared<socket>(self->loop_);
  self->link_ = link;
  asio::steady_timer limit(self->loop_, ask_limit);
  limit.async_wait([link](error_code ec) {
    if (!ec) link->drop("gave up after " + std::to_string(ask_limit.count()) + " s of " + link->step);
  });
  auto sentinel = self->next_one();
  bool answered = false, refused = false;
  std::string why = "answered";
  try {
    auto answer = co_await ask(link, sentinel, self->options_.sentinel.master);
    answered = true;
    self->sentinels_.take(answer);
  } catch (const permanent_error& e) {
    refused = true;
    why = e.what();
  } catch (const boost::system::system_error& e) {
    why = e.code() == asio::error::eof ? "it closed the connection" : e.code().message();
  } catch (const std::exception& e) {
    why = e.what();
  }
  link->drop(why);
  if (!answered) self->sentinels_.failed(link->why(), refused);
}

// How to reach the one that is to be asked now.
connection_options sentinel_resolver::next_one() const {
  connection_options one;
  const auto* who = sentinels_.next();
  one.host = who->host;
  one.port = who->port;
  one.username = options_.sentinel.username;
  one.password = options_.sentinel.password;
  one.tls = options_.sentinel.tls;
  one.tls_ca_file = options_.tls_ca_file;
  one.tls_verify = options_.tls_verify;
  return one;
}

void sentinel_resolver::stop() {
  stopped_ = true;
  if (const auto link = link_.lock()) link->drop("closed");
}

std::string sentinel_resolver::ended(const std::string& why, bool usable) {
  if (!sentinels_.found()) return why;
  const auto who = master() + " (the master, says the sentinel at " + host_and_port(sentinels_.asked()) + ")";
  if (!usable) sentinels_.misled();
  return who + ": " + why;
}

std::string sentinel_resolver::progress() const {
  const auto* who = sentinels_.next();
  if (!who) return {};
  const auto link = link_.lock();
  const auto before = sentinels_.errors().empty() ? std::string() : sentinels_.errors() + "; ";
  return before + "the sentinel at " + host_and_port(*who) + ": still " + (link ? link->step : "connecting");
}

}  // namespace quarq::redis
