#include "redis/connection.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>

#include "base/log.hpp"
#include "redis/backoff.hpp"
#include "redis/handshake.hpp"
#include "redis/pipeline.hpp"
#include "redis/sentinel_resolver.hpp"
#include "redis/socket.hpp"

namespace quarq::redis {

namespace asio = boost::asio;
using boost::system::error_code;
using clock = request::clock;

namespace {

constexpr std::size_t room_to_read = std::size_t{64} << 10;
constexpr std::chrono::seconds attempt_limit{5};      // from looking up the host to the last set-up reply
constexpr std::chrono::milliseconds expiry_step{10};  // requests that give up within this do so together
constexpr std::chrono::seconds settled_after{2};      // a connection that held for this long was a good one
constexpr int max_script_loads = 3;

std::string in_seconds(std::chrono::milliseconds t) {
  std::string text = std::to_string(t.count() / 1000);
  if (t.count() % 1000) text += "." + std::to_string(1000 + t.count() % 1000).substr(1);
  return text + " s";
}

std::string text_of(const error_code& ec) {
  return ec == asio::error::eof ? "the server closed the connection" : ec.message();
}

bool is_push(const reply& r, std::string_view what, std::size_t items) {
  return r.type == reply::kind::push && r.items.size() == items && r.items[0].text == what;
}

request_ptr make_request(std::vector<std::string> args) {
  auto r = std::make_shared<request>();
  append_command(r->bytes, args);
  return r;
}

request_ptr make_subscription(request::kind type, std::string_view channel) {
  const char* const verb = type == request::kind::subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE";
  auto r = make_request({verb, std::string(channel)});
  r->type = type;
  return r;
}

template <class Handler>
class erased_handler final : public completion_handler {
 public:
  explicit erased_handler(Handler handler) : handler_(std::move(handler)) {}
  void end(std::exception_ptr failure, reply content) override {
    std::move(handler_)(std::move(failure), std::move(content));
  }

 private:
  Handler handler_;
};

}  // namespace

// All that waits or reads lives in coroutines and handlers, which the loop owns; what is in here only
// decides. So an impl may outlive its loop, and a loop's end takes along whatever waits for an answer.
class connection::impl : public std::enable_shared_from_this<impl> {
 public:
  impl(asio::any_io_executor loop, connection_options options, std::vector<const script*> scripts)
      : loop_(std::move(loop)), options_(std::move(options)), scripts_(std::move(scripts)) {
    if (!options_.sentinel.hosts.empty()) finder_ = std::make_shared<sentinel_resolver>(loop_, options_);
  }

  static awaitable<reply> ask(std::shared_ptr<impl> self, request_ptr r);
  static awaitable<void> subscribe(std::shared_ptr<impl> self, std::string channel,
                                   std::function<void(std::string_view)> receive);
  void unsubscribe(std::string_view channel);
  void on_reconnect(std::function<void()> f) { on_reconnect_.push_back(std::move(f)); }
  void close();

 private:
  using link_ptr = std::shared_ptr<socket>;
  using receiver = std::shared_ptr<const std::function<void(std::string_view)>>;

  struct timers {
    explicit timers(const asio::any_io_executor& loop) : sleep(loop), request_timeout(loop), watchdog(loop) {}
    asio::steady_timer sleep;            // between attempts
    asio::steady_timer request_timeout;  // the next request to give up
    asio::steady_timer watchdog;         // an attempt that takes too long, or a peer that is silent
  };

  // What is to be called on the loop: the end of a request, a message (a push), or, with neither,
  // "reconnected".
  struct delivery {
    std::unique_ptr<completion_handler> done;
    std::exception_ptr failure;
    reply content;
  };

  class keeper;     // a parameter of run(): notices how it ends
  class deliverer;  // the handler that calls deliver()
  class submitter;  // begins a request for async_initiate
  class canceller;  // the cancellation handler of a request

  // ---- requests
  void submit(request_ptr r);
  void send(request_ptr r);
  void abandon(const request_ptr& r);
  void finish(const request_ptr& r, std::exception_ptr failure, reply content);
  void fail_all_waiting(const std::string& why);
  void arm_request_timer();
  void fail_expired();

  // ---- the connection
  static awaitable<void> run(std::shared_ptr<impl> self, keeper keep);
  awaitable<bool> attempt(link_ptr link);
  awaitable<connection_options> find_server();
  awaitable<void> set_up(link_ptr link);
  awaitable<void> receive(link_ptr link);
  void limit_attempt(const link_ptr& link);
  void become_ready(const link_ptr& link, const std::vector<std::string>& subscribed);
  void become_lost();
  void report_outage();
  std::string state(const socket* link) const;

  // ---- bytes
  void schedule_flush();
  void flush();
  void write(const link_ptr& link);
  void take(const link_ptr& link, reply& r);
  void take_error(const link_ptr& link, const request_ptr& r, const std::string& text);
  void watch(const link_ptr& link);
  void check_peer(const link_ptr& link);

  // ---- calling those who wait
  void schedule(delivery d);
  void post_deliveries();
  void deliver();
  void call(delivery& d);
  void loop_is_gone();

  std::vector<std::string> channels() const;
  void forget(const std::string& channel, const receiver& r);

  const asio::any_io_executor loop_;
  const connection_options options_;
  const std::vector<const script*> scripts_;
  std::shared_ptr<sentinel_resolver> finder_;  // if there are sentinels

  pipeline pipeline_;
  std::vector<delivery> deliveries_, spare_;
  std::map<std::string, receiver, std::less<>> subscriptions_;
  std::vector<std::function<void()>> on_reconnect_;

  std::weak_ptr<socket> link_;
  timers* timers_ = nullptr;  // run()'s
  backoff pause_;
  std::minstd_rand random_{std::random_device{}()};
  std::string last_error_;  // of the last attempt or connection
  bool outage_reported_ = false;
  clock::time_point ready_since_{};

  bool closed_ = false;
  bool running_ = false;           // run() is under way
  bool ready_ = false;             // the link is set up
  bool was_ready_ = false;         // at least once
  bool retry_at_request_ = false;  // refused: do not wait for the pause to end if somebody asks again
  bool flush_posted_ = false;
  bool delivery_posted_ = false;
  bool request_timer_armed_ = false;
  bool watching_ = false;
};

// ---------------------------------------------------------------- what notices the end of the loop

// If run() does not end but is destroyed, the loop is being destroyed: those who wait must go now, while the
// services that their coroutines use are still there.
class connection::impl::keeper {
 public:
  explicit keeper(std::shared_ptr<impl> owner)
      : owner_(std::move(owner)), timers_(std::make_unique<timers>(owner_->loop_)) {
    owner_->timers_ = timers_.get();
    owner_->running_ = true;
  }
  keeper(keeper&&) = default;
  keeper& operator=(keeper&&) = delete;
  ~keeper() {
    if (!owner_) return;
    owner_->timers_ = nullptr;
    owner_->running_ = false;
    owner_->loop_is_gone();
  }
  void run_ends() {
    owner_->timers_ = nullptr;
    owner_->running_ = false;
    owner_.reset();
  }

 private:
  std::shared_ptr<impl> owner_;
  std::unique_ptr<timers> timers_;
};

class connection::impl::deliverer {
 public:
  explicit deliverer(std::shared_ptr<impl> owner) : owner_(std::move(owner)) {}
  deliverer(deliverer&&) = default;
  deliverer& operator=(deliverer&&) = delete;
  ~deliverer() {
    if (owner_) owner_->loop_is_gone();
  }
  void operator()() { std::exchange(owner_, nullptr)->deliver(); }

 private:
  std::shared_ptr<impl> owner_;
};

void connection::impl::loop_is_gone() {
  closed_ = true;
  ready_ = false;
  link_.reset();
  // Whoever waits may own this connection, and be destroyed here: work on what nobody else sees. They may
  // also hold their own requests, so it is not enough to forget those.
  pipeline_.lost();
  const auto requests = pipeline_.take_waiting();
  for (const auto& r : requests) const auto waiter = std::move(r->done);
  const auto deliveries = std::exchange(deliveries_, {});
  const auto subscriptions = std::exchange(subscriptions_, {});
  const auto on_reconnect = std::exchange(on_reconnect_, {});
}

// ---------------------------------------------------------------- requests

class connection::impl::canceller {
 public:
  canceller(std::weak_ptr<impl> owner, std::weak_ptr<request> r)
      : owner_(std::move(owner)), request_(std::move(r)) {}
  void operator()(asio::cancellation_type) {
    const auto owner = owner_.lock();
    const auto r = request_.lock();
    if (owner && r) owner->abandon(r);
  }

 private:
  std::weak_ptr<impl> owner_;
  std::weak_ptr<request> request_;
};

class connection::impl::submitter {
 public:
  submitter(std::shared_ptr<impl> owner, request_ptr r) : owner_(std::move(owner)), request_(std::move(r)) {}
  template <class Handler>
  void operator()(Handler&& handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.template emplace<canceller>(owner_, request_);
    request_->done = std::make_unique<erased_handler<std::decay_t<Handler>>>(std::forward<Handler>(handler));
    owner_->submit(std::move(request_));
  }

 private:
  std::shared_ptr<impl> owner_;
  request_ptr request_;
};

awaitable<reply> connection::impl::ask(std::shared_ptr<impl> self, request_ptr r) {
  submitter begin(std::move(self), std::move(r));
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, reply)>(
      std::move(begin), asio::use_awaitable);
}

void connection::impl::submit(request_ptr r) {
  if (closed_) {
    finish(r, std::make_exception_ptr(broker_error(address_of(options_) + ": the connection was closed")),
           {});
    return;
  }
  if (options_.request_timeout) r->deadline = clock::now() + *options_.request_timeout;
  send(std::move(r));
}

void connection::impl::send(request_ptr r) {
  pipeline_.add(std::move(r));
  if (ready_) {
    schedule_flush();
    return;
  }
  if (!running_) asio::co_spawn(loop_, run(shared_from_this(), keeper(shared_from_this())), asio::detached);
  if (retry_at_request_) timers_->sleep.cancel();
  arm_request_timer();
}

void connection::impl::abandon(const request_ptr& r) {
  if (!r->done) return;
  auto done = std::move(r->done);
  pipeline_.abandon(r);
  const boost::system::system_error aborted(asio::error::operation_aborted);
  schedule({std::move(done), std::make_exception_ptr(aborted), {}});
}

void connection::impl::finish(const request_ptr& r, std::exception_ptr failure, reply content) {
  if (r->done) schedule({std::move(r->done), std::move(failure), std::move(content)});
}

void connection::impl::fail_all_waiting(const std::string& why) {
  for (const auto& r : pipeline_.take_waiting()) finish(r, std::make_exception_ptr(broker_error(why)), {});
}

void connection::impl::arm_request_timer() {
  if (request_timer_armed_ || !timers_) return;
  const auto deadline = pipeline_.next_deadline();
  if (!deadline) return;
  request_timer_armed_ = true;
  timers_->request_timeout.expires_at(std::max(*deadline, clock::now() + expiry_step));
  timers_->request_timeout.async_wait([self = shared_from_this()](error_code) {
    self->request_timer_armed_ = false;
    self->fail_expired();
  });
}

void connection::impl::fail_expired() {
  if (closed_ || ready_) return;
  const auto link = link_.lock();
  const std::string why = state(link.get());
  for (const auto& r : pipeline_.take_expired(clock::now())) {
    const broker_error late(address_of(options_) + ": no connection within " +
                            in_seconds(*options_.request_timeout) + ": " + why);
    finish(r, std::make_exception_ptr(late), {});
  }
  arm_request_timer();
}

// ---------------------------------------------------------------- the connection

awaitable<void> connection::impl::run(std::shared_ptr<impl> self, keeper keep) {
  while (!self->closed_) {
    auto link = std::make_shared<socket>(self->loop_);
    self->link_ = link;
    const bool refused = co_await self->attempt(link);
    link.reset();
    self->become_lost();
    if (self->closed_) break;
    if (!refused) self->report_outage();
    if (refused) {
      self->fail_all_waiting(address_of(self->options_) + ": " + self->last_error_);
      // Subscriptions wait for better times; without any, the next request begins anew.
      if (self->subscriptions_.empty()) break;
    }
    self->retry_at_request_ = refused;
    error_code ignored;
    const double random = std::generate_canonical<double, 32>(self->random_);
    self->timers_->sleep.expires_after(self->pause_.next(random));
    co_await self->timers_->sleep.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    self->retry_at_request_ = false;
  }
  keep.run_ends();
}

// One connection from its first step to its end, which last_error_ then explains. True: refused.
awaitable<bool> connection::impl::attempt(link_ptr link) {
  bool refused = false;
  std::string why;
  try {
    auto where = co_await find_server();
    limit_attempt(link);
    co_await link->open(where);
    co_await set_up(link);
    co_await receive(link);
  } catch (const permanent_error& e) {
    refused = true;
    why = e.what();
  } catch (const boost::system::system_error& e) {
    why = text_of(e.code());
  } catch (const std::exception& e) {
    why = e.what();
  }
  link->drop(why);
  last_error_ = finder_ ? finder_->ended(link->why(), ready_) : link->why();
  co_return refused;
}

awaitable<connection_options> connection::impl::find_server() {
  if (!finder_) co_return options_;
  auto where = co_await sentinel_resolver::find(finder_);
  co_return where;
}

void connection::impl::limit_attempt(const link_ptr& link) {
  timers_->watchdog.expires_after(attempt_limit);
  timers_->watchdog.async_wait([self = shared_from_this(), link](error_code ec) {
    if (!ec && !self->ready_) link->drop("gave up after " + in_seconds(attempt_limit) + " of " + link->step);
  });
}

awaitable<void> connection::impl::set_up(link_ptr link) {
  link->step = "waiting for the first answers";
  const auto subscribed = channels();
  handshake setup(options_, scripts_, subscribed);
  link->out = setup.bytes();
  write(link);
  reply r;
  auto result = handshake_result::more;
  while (result == handshake_result::more) {
    auto space = link->parser.prepare(room_to_read);
    const std::size_t n = co_await link->read_some(space);
    link->parser.commit(n);
    while (result == handshake_result::more && link->parser.next(r)) {
      if (is_push(r, "message", 3)) {
        schedule({nullptr, nullptr, std::move(r)});
      } else {
        result = setup.take(r);
      }
    }
  }
  if (result == handshake_result::refused) throw permanent_error(setup.error());
  if (result == handshake_result::not_ready) throw error(setup.error());
  if (link->dropped()) throw error(link->why());
  become_ready(link, subscribed);
}

// Why there is no connection yet.
std::string connection::impl::state(const socket* link) const {
  if (!last_error_.empty() || !link) return last_error_;
  const auto search = finder_ ? finder_->progress() : std::string();
  return search.empty() ? std::string("still ") + link->step : search;
}

// Once for each outage: whoever waits for a server that does not come should see why.
void connection::impl::report_outage() {
  if (std::exchange(outage_reported_, true)) return;
  base::log().warn("{}: {}; connecting again until it answers", address_of(options_), last_error_);
}

void connection::impl::become_ready(const link_ptr& link, const std::vector<std::string>& subscribed) {
  ready_ = true;
  ready_since_ = clock::now();
  if (std::exchange(outage_reported_, false)) {
    base::log().info("{}: connected{}", address_of(options_), finder_ ? " to " + finder_->master() : "");
  }
  timers_->watchdog.cancel();
  watching_ = false;
  if (std::exchange(was_ready_, true)) schedule({});
  for (const auto& channel : subscribed) {
    // Somebody unsubscribed during the set-up.
    if (!subscriptions_.contains(channel)) {
      pipeline_.add(make_subscription(request::kind::unsubscribe, channel));
    }
  }
  if (!subscriptions_.empty()) watch(link);
  flush();
}

void connection::impl::become_lost() {
  if (ready_ && clock::now() - ready_since_ >= settled_after) pause_.reset();
  ready_ = false;
  link_.reset();
  pipeline_.lost();
  arm_request_timer();
}

// ---------------------------------------------------------------- bytes

awaitable<void> connection::impl::receive(link_ptr link) {
  reply r;
  for (;;) {
    while (!link->dropped() && link->parser.next(r)) take(link, r);
    if (link->dropped()) co_return;
    auto space = link->parser.prepare(room_to_read);
    const std::size_t n = co_await link->read_some(space);
    link->peer.heard(health_check::clock::now());
    link->parser.commit(n);
  }
}

void connection::impl::take(const link_ptr& link, reply& r) {
  if (is_push(r, "message", 3)) {
    schedule({nullptr, nullptr, std::move(r)});
    return;
  }
  const bool confirmation = is_push(r, "subscribe", 3) || is_push(r, "unsubscribe", 3);
  if (r.type == reply::kind::push && !confirmation) return;
  const auto matched = pipeline_.match(r);
  if (r.is_error()) {
    take_error(link, matched, r.text);
    return;
  }
  pause_.reset();
  if (is_push(r, "subscribe", 3) && !subscriptions_.contains(r.items[1].text)) {
    send(make_subscription(request::kind::unsubscribe, r.items[1].text));
  }
  finish(matched, nullptr, std::move(r));
}

void connection::impl::take_error(const link_ptr& link, const request_ptr& r, const std::string& text) {
  const auto meaning = classify_error(text);
  if (meaning == error_class::not_ready) {
    if (r->done) pipeline_.add_first(r);
    link->drop(text);
  } else if (meaning == error_class::no_script && r->evaluates && r->script_loads++ < max_script_loads) {
    if (!r->done) return;
    pipeline_.add_first(r);
    pipeline_.add_first(make_request({"SCRIPT", "LOAD", std::string(r->evaluates->text)}));
    schedule_flush();
  } else {
    finish(r, std::make_exception_ptr(broker_error(text)), {});
  }
}

// All that becomes ready to be sent in this turn of the loop shares one write.
void connection::impl::schedule_flush() {
  if (std::exchange(flush_posted_, true)) return;
  asio::post(loop_, [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void connection::impl::flush() {
  const auto link = link_.lock();
  if (!ready_ || !link || link->dropped() || link->writing || !pipeline_.anything_waiting()) return;
  pipeline_.gather(link->out);
  write(link);
  watch(link);
}

void connection::impl::write(const link_ptr& link) {
  link->write([self = shared_from_this(), link = link.get()](const std::string& failure) {
    if (failure.empty()) {
      self->flush();
    } else {
      link->drop(failure);
    }
  });
}

void connection::impl::watch(const link_ptr& link) {
  if (std::exchange(watching_, true)) return;
  link->peer.heard(health_check::clock::now());
  check_peer(link);
}

void connection::impl::check_peer(const link_ptr& link) {
  const bool something_awaited =
      pipeline_.anything_sent() || pipeline_.anything_waiting() || !subscriptions_.empty();
  watching_ = ready_ && !closed_ && !link->dropped() && something_awaited;
  if (!watching_) return;
  const auto health_now = link->peer.check(health_check::clock::now());
  if (health_now == health::dead) {
    link->drop("no answer for " + in_seconds(2 * health_check::silence));
    return;
  }
  if (health_now == health::ping) send(make_request({"PING"}));
  timers_->watchdog.expires_at(link->peer.next_check());
  timers_->watchdog.async_wait([self = shared_from_this(), link](error_code ec) {
    if (!ec && self->link_.lock() == link) self->check_peer(link);
  });
}

// ---------------------------------------------------------------- calling those who wait

void connection::impl::schedule(delivery d) {
  deliveries_.push_back(std::move(d));
  post_deliveries();
}

void connection::impl::post_deliveries() {
  if (std::exchange(delivery_posted_, true)) return;
  asio::post(loop_, deliverer(shared_from_this()));
}

void connection::impl::deliver() {
  delivery_posted_ = false;
  auto batch = std::exchange(deliveries_, std::move(spare_));
  deliveries_.clear();
  std::size_t done = 0;
  try {
    while (done < batch.size()) call(batch[done++]);
  } catch (...) {
    // Somebody's handler threw, into the loop's run(), which may be called again: the others are still to be
    // called.
    batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(done));
    std::move(deliveries_.begin(), deliveries_.end(), std::back_inserter(batch));
    deliveries_ = std::move(batch);
    if (!deliveries_.empty()) post_deliveries();
    throw;
  }
  batch.clear();
  spare_ = std::move(batch);
}

void connection::impl::call(delivery& d) {
  if (d.done) {
    d.done->end(std::move(d.failure), std::move(d.content));
  } else if (d.content.type == reply::kind::push) {
    const auto found = subscriptions_.find(d.content.items[1].text);
    if (found == subscriptions_.end()) return;
    const receiver keep = found->second;
    (*keep)(d.content.items[2].text);
  } else {
    const auto all = on_reconnect_;
    for (const auto& f : all) {
      if (!closed_) f();
    }
  }
}

// ---------------------------------------------------------------- subscriptions

awaitable<void> connection::impl::subscribe(std::shared_ptr<impl> self, std::string channel,
                                            std::function<void(std::string_view)> receive) {
  const auto to = std::make_shared<const std::function<void(std::string_view)>>(std::move(receive));
  self->subscriptions_.insert_or_assign(channel, to);
  auto r = make_subscription(request::kind::subscribe, channel);
  try {
    co_await ask(self, r);
  } catch (...) {
    self->forget(channel, to);
    throw;
  }
}

void connection::impl::forget(const std::string& channel, const receiver& r) {
  const auto found = subscriptions_.find(channel);
  if (found != subscriptions_.end() && found->second == r) unsubscribe(channel);
}

void connection::impl::unsubscribe(std::string_view channel) {
  const auto found = subscriptions_.find(channel);
  if (found == subscriptions_.end()) return;
  subscriptions_.erase(found);
  // Without a connection there is nothing to undo: the next one subscribes to what is left.
  if (ready_) send(make_subscription(request::kind::unsubscribe, channel));
}

std::vector<std::string> connection::impl::channels() const {
  std::vector<std::string> names;
  for (const auto& [name, receive] : subscriptions_) names.push_back(name);
  return names;
}

void connection::impl::close() {
  if (std::exchange(closed_, true)) return;
  subscriptions_.clear();
  on_reconnect_.clear();
  ready_ = false;
  pipeline_.lost();
  fail_all_waiting(address_of(options_) + ": the connection was closed");
  if (const auto link = link_.lock()) link->drop("closed");
  if (finder_) finder_->stop();
  if (timers_) {
    timers_->sleep.cancel();
    timers_->request_timeout.cancel();
    timers_->watchdog.cancel();
  }
}

// ---------------------------------------------------------------- the public class

connection::connection(asio::any_io_executor loop, connection_options options,
                       std::vector<const script*> scripts)
    : impl_(std::make_shared<impl>(std::move(loop), std::move(options), std::move(scripts))) {}

connection::~connection() {
  impl_->close();
}

awaitable<reply> connection::command(std::vector<std::string> args) {
  return impl::ask(impl_, make_request(std::move(args)));
}

awaitable<reply> connection::run(const script& source, std::vector<std::string> keys,
                                 std::vector<std::string> arguments) {
  std::vector<std::string> args;
  args.reserve(3 + keys.size() + arguments.size());
  args.push_back("EVALSHA");
  args.push_back(source.sha1);
  args.push_back(std::to_string(keys.size()));
  std::move(keys.begin(), keys.end(), std::back_inserter(args));
  std::move(arguments.begin(), arguments.end(), std::back_inserter(args));
  auto r = make_request(std::move(args));
  r->evaluates = &source;
  return impl::ask(impl_, std::move(r));
}

awaitable<void> connection::subscribe(std::string channel, std::function<void(std::string_view)> receive) {
  return impl::subscribe(impl_, std::move(channel), std::move(receive));
}

void connection::unsubscribe(std::string_view channel) {
  impl_->unsubscribe(channel);
}

void connection::on_reconnect(std::function<void()> f) {
  impl_->on_reconnect(std::move(f));
}

}  // namespace quarq::redis
