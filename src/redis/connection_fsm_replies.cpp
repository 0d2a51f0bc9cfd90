// What connection_fsm writes to the server, and how it handles the replies.
#include <utility>

#include <quarq/errors.hpp>

#include "base/assert.hpp"
#include "redis/connection_fsm.hpp"

namespace quarq::redis {

namespace {

bool is_push(const reply& r, std::string_view what) {
  return r.type == reply::kind::push && r.items.size() == 3 && r.items[0].text == what;
}

message message_in(reply& push) {
  return {std::move(push.items[1].text), std::move(push.items[2].text)};
}

}  // namespace

// ---- bytes to the server

void connection_fsm::flush_later() {
  if (!std::exchange(is_flush_scheduled_, true)) actions_.push_back(schedule_flush{});
}

void connection_fsm::on_flush(time_point now) {
  is_flush_scheduled_ = false;
  flush(now);
  look_for_rest(now);
}

void connection_fsm::on_written(const std::string& failure, time_point now) {
  is_writing_ = false;
  if (failure.empty()) {
    flush(now);
    look_for_rest(now);
  } else if (expects_replies()) {
    give_up({failure, false, true});
  }
  check_invariants();
}

void connection_fsm::flush(time_point now) {
  if (phase_ != phase::serving || is_writing_ || !pipeline_.has_waiting()) return;
  QUARQ_ASSERT(output_.empty());
  pipeline_.gather(output_);
  if (output_.empty()) return;
  is_writing_ = true;
  actions_.push_back(start_write{});
  watch_health(now);
}

// ---- replies

void connection_fsm::on_reply(reply&& r, time_point now) {
  QUARQ_ASSERT(expects_replies());
  is_just_awake_ = false;
  if (is_push(r, "message")) {
    notifications_.emplace_back(message_in(r));
    return;
  }
  try {
    if (phase_ == phase::handshaking) {
      take_handshake_reply(r, now);
    } else {
      take_reply(r, now);
    }
  } catch (const protocol_error& e) {
    give_up({e.what()});
  }
  look_for_rest(now);
  check_invariants();
}

void connection_fsm::take_handshake_reply(const reply& r, time_point now) {
  switch (handshake_->take(r)) {
    case handshake_result::more:
      return;
    case handshake_result::done:
      return begin_serving(now);
    case handshake_result::not_ready:
      return give_up({handshake_->error()});
    case handshake_result::refused:
      return give_up({handshake_->error(), true});
  }
}

void connection_fsm::take_reply(reply& r, time_point now) {
  const bool is_subscribed = is_push(r, "subscribe");
  if (r.type == reply::kind::push && !is_subscribed && !is_push(r, "unsubscribe")) return;
  const auto matched = pipeline_.match(r);
  if (pipeline_.holds_back()) flush_later();
  if (matched->loads) script_loaded(*matched, r);
  if (r.is_error()) {
    take_error(matched, r.text);
    return;
  }
  pause_.reset();
  // Its subscriber has left before the confirmation arrived.
  if (is_subscribed && !subscriptions_.contains(r.items[1].text)) {
    enqueue(make_subscription(request::kind::unsubscribe, r.items[1].text), now);
  }
  complete(matched, nullptr, std::move(r));
}

void connection_fsm::take_error(const request_ptr& r, const std::string& text) {
  const auto meaning = classify_error(text);
  if (meaning == error_class::not_ready) {
    if (r->handler) pipeline_.add_first(r);
    give_up({text});
  } else if (meaning == error_class::no_script && r->evaluates && r->script_loads++ < max_script_loads) {
    if (r->handler) load_and_retry(r);
  } else {
    complete(r, std::make_exception_ptr(broker_error(without_arguments(text), reason_of(text))), {});
  }
}

// All requests that were answered NOSCRIPT keep their order, behind one SCRIPT LOAD.
void connection_fsm::load_and_retry(const request_ptr& r) {
  const auto [load, is_first] = loads_.try_emplace(r->evaluates);
  if (!load->second.empty()) {
    complete(r, std::make_exception_ptr(broker_error("SCRIPT LOAD was refused: " + load->second)), {});
    return;
  }
  if (is_first) {
    auto request = make_request({"SCRIPT", "LOAD", std::string(r->evaluates->text)});
    request->loads = r->evaluates;
    pipeline_.add_retry(std::move(request));
  }
  pipeline_.add_retry(r);
  flush_later();
}

void connection_fsm::script_loaded(const request& load, const reply& answer) {
  if (answer.is_error()) {
    loads_[load.loads] = without_arguments(answer.text);
  } else {
    loads_.erase(load.loads);
  }
}

}  // namespace quarq::redis
