#include "redis/connection_fsm.hpp"

#include <exception>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/errors.hpp>

#include "base/assert.hpp"

namespace quarq::redis {

connection_fsm::connection_fsm(connection_options options) : options_(std::move(options)) {}

// ---------------------------------------------------------------- requests

void connection_fsm::submit(request_ptr r, time_point now) {
  if (phase_ == phase::closed) {
    fail(r, "the connection was closed");
    return;
  }
  if (options_.request_timeout) r->deadline = now + *options_.request_timeout;
  enqueue(std::move(r), now);
}

void connection_fsm::enqueue(request_ptr r, time_point now) {
  pipeline_.add(std::move(r));
  if (phase_ == phase::serving) {
    wake();
    flush_later();
    return;
  }
  if (phase_ == phase::idle || (phase_ == phase::backing_off && last_.is_permanent)) begin_attempt(now);
  set_request_deadline(now);
  check_invariants();
}

void connection_fsm::cancel(const request_ptr& r) {
  if (!r->handler) return;
  auto handler = std::move(r->handler);
  pipeline_.abandon(r);
  const boost::system::system_error aborted(boost::asio::error::operation_aborted);
  notifications_.emplace_back(completion{std::move(handler), std::make_exception_ptr(aborted), {}});
}

void connection_fsm::complete(const request_ptr& r, std::exception_ptr failure, reply content) {
  if (!r->handler) return;
  notifications_.emplace_back(completion{std::move(r->handler), std::move(failure), std::move(content)});
}

void connection_fsm::fail(const request_ptr& r, const std::string& why) {
  complete(r, std::make_exception_ptr(broker_error(address_of(options_) + ": " + why)), {});
}

void connection_fsm::fail_all_waiting(const std::string& why) {
  for (const auto& r : pipeline_.take_waiting()) fail(r, why);
}

void connection_fsm::add_subscription(std::string channel, receiver to) {
  subscriptions_.insert_or_assign(std::move(channel), std::move(to));
}

void connection_fsm::remove_subscription(std::string_view channel, time_point now) {
  const auto found = subscriptions_.find(channel);
  if (found == subscriptions_.end()) return;
  subscriptions_.erase(found);
  // Without a connection there is nothing to undo: the next handshake subscribes to what is left.
  if (phase_ == phase::serving) enqueue(make_subscription(request::kind::unsubscribe, channel), now);
}

connection_fsm::receiver connection_fsm::subscriber(std::string_view channel) const {
  const auto found = subscriptions_.find(channel);
  return found == subscriptions_.end() ? nullptr : found->second;
}

// ---------------------------------------------------------------- from phase to phase

void connection_fsm::begin_attempt(time_point now) {
  handshake_.reset();
  given_up_.reset();
  master_.clear();
  source_.clear();
  output_.clear();
  loads_.clear();
  last_unsent_ = 0;
  is_writing_ = is_resting_ = is_just_awake_ = false;
  phase_deadline_.reset();
  actions_.push_back(start_attempt{});
  if (has_sentinels()) {
    phase_ = phase::resolving;
  } else {
    expect_connection(now);
  }
}

void connection_fsm::expect_connection(time_point now) {
  phase_ = phase::connecting;
  phase_deadline_ = now + max_attempt();
}

void connection_fsm::on_resolved(const endpoint& master, const endpoint& sentinel, time_point now) {
  if (phase_ != phase::resolving) return;
  master_ = host_and_port(master);
  source_ = master_ + " (the master, says the sentinel at " + host_and_port(sentinel) + ")";
  expect_connection(now);
  check_invariants();
}

void connection_fsm::on_connected(time_point) {
  if (phase_ != phase::connecting) return;
  phase_ = phase::handshaking;
  handshake_channels_.clear();
  for (const auto& [channel, to] : subscriptions_) handshake_channels_.push_back(channel);
  handshake_.emplace(options_, handshake_channels_);
  output_ = handshake_->bytes();
  is_writing_ = true;
  actions_.push_back(start_write{});
  check_invariants();
}

void connection_fsm::begin_serving(time_point now) {
  phase_ = phase::serving;
  serving_since_ = now;
  phase_deadline_.reset();
  request_deadline_.reset();
  if (std::exchange(is_outage_reported_, false)) {
    const auto where = master_.empty() ? "" : " to " + master_;
    actions_.push_back(write_log{false, address_of(options_) + ": connected" + where});
  }
  if (std::exchange(has_served_, true)) notifications_.emplace_back(reconnected{});
  for (const auto& channel : handshake_channels_) {
    // Its subscriber has left during the handshake.
    if (!subscriptions_.contains(channel)) {
      pipeline_.add(make_subscription(request::kind::unsubscribe, channel));
    }
  }
  if (listens()) watch_health(now);
  flush(now);
  look_for_rest(now);
}

void connection_fsm::give_up(disconnect_reason reason) {
  QUARQ_ASSERT(phase_ == phase::connecting || expects_replies());
  phase_ = phase::disconnecting;
  phase_deadline_.reset();
  actions_.push_back(disconnect{reason.why});
  given_up_ = std::move(reason);
}

void connection_fsm::on_disconnected(const disconnect_reason& reason, time_point now, double random) {
  if (phase_ == phase::closed) return;
  QUARQ_ASSERT(phase_ != phase::idle && phase_ != phase::backing_off);
  // If the machine has given up, what the driver saw is a consequence of that.
  last_ = given_up_.value_or(reason);
  if (!given_up_ || given_up_->is_cut) fail_refused();
  if (!source_.empty()) {
    last_.why = source_ + ": " + last_.why;
    if (!serving_since_) actions_.push_back(distrust_sentinel{});
  }
  if (serving_since_ && now - *serving_since_ >= settled_after) pause_.reset();
  serving_since_.reset();
  pipeline_.requeue_sent();
  if (last_.is_permanent) {
    fail_all_waiting(last_.why);
  } else if (is_just_awake_) {
    // The server had closed it while it rested.
    begin_attempt(now);
    set_request_deadline(now);
    return check_invariants();
  } else {
    report_outage();
  }
  // Subscriptions wait until the server changes its mind; without any, the next request begins anew.
  if (last_.is_permanent && !listens()) {
    phase_ = phase::idle;
    phase_deadline_.reset();
  } else {
    back_off(now, random);
    look_for_rest(now);
  }
  check_invariants();
}

// Servers have limits (client-query-buffer-limit), and so have proxies: over a request that is too large they
// close the connection, however often it is sent.
void connection_fsm::fail_refused() {
  const auto r = pipeline_.take_refused();
  if (!r) return;
  const auto why = address_of(options_) + ": the connection was lost " + std::to_string(pipeline::max_cuts) +
                   " times over this request of " + std::to_string(r->bytes.size()) + " bytes: " + last_.why;
  complete(r, std::make_exception_ptr(broker_error(why, broker_error::reason::refused)), {});
}

void connection_fsm::back_off(time_point now, double random) {
  phase_ = phase::backing_off;
  phase_deadline_ = now + pause_.next(random);
  set_request_deadline(now);
}

// Once per outage: the log should explain why requests wait.
void connection_fsm::report_outage() {
  if (std::exchange(is_outage_reported_, true)) return;
  actions_.push_back(
      write_log{true, address_of(options_) + ": " + last_.why + "; connecting again until it answers"});
}

void connection_fsm::close() {
  if (std::exchange(phase_, phase::closed) == phase::closed) return;
  subscriptions_.clear();
  phase_deadline_.reset();
  request_deadline_.reset();
  rest_deadline_.reset();
  pipeline_.requeue_sent();
  fail_all_waiting("the connection was closed");
  actions_.push_back(disconnect{"closed"});
  check_invariants();
}

connection_fsm::remains connection_fsm::on_loop_destroyed() {
  phase_ = phase::closed;
  phase_deadline_.reset();
  request_deadline_.reset();
  rest_deadline_.reset();
  pipeline_.requeue_sent();
  remains all;
  for (const auto& r : pipeline_.take_waiting()) all.handlers.push_back(std::move(r->handler));
  all.subscriptions.swap(subscriptions_);
  all.notifications.swap(notifications_);
  actions_.clear();
  return all;
}

void connection_fsm::check_invariants() const {
  QUARQ_ASSERT(!is_resting_ || phase_ == phase::serving || phase_ == phase::closed);
  QUARQ_ASSERT(!pipeline_.has_sent() || phase_ == phase::serving || phase_ == phase::disconnecting);
  QUARQ_ASSERT(!pipeline_.has_waiting() || (phase_ != phase::idle && phase_ != phase::closed));
  QUARQ_ASSERT(serving_since_ || phase_ != phase::serving);
  QUARQ_ASSERT(phase_deadline_ ||
               (phase_ != phase::connecting && phase_ != phase::handshaking && phase_ != phase::backing_off));
}

}  // namespace quarq::redis
