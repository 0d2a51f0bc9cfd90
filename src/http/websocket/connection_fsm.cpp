#include "http/websocket/connection_fsm.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/assert.hpp"

namespace quarq::http::ws {

namespace {

std::string text_of(std::chrono::milliseconds duration) {
  if (duration.count() % 1000 != 0) return std::to_string(duration.count()) + " ms";
  return std::to_string(duration.count() / 1000) + " s";
}

}  // namespace

connection_fsm::connection_fsm(const settings& how, time_point now)
    : how_(how),
      reader_(how.self, how.limits, how.agreed),
      writer_(how.self, how.agreed),
      last_received_(now),
      last_ping_(now) {}

// ---- calls of users

connection_fsm::sent connection_fsm::send(std::string_view payload, bool is_text, time_point now) {
  QUARQ_ASSERT(phase_ == phase::open);
  if (!has_room()) {
    if (how_.when_full == overflow::wait) return sent::must_wait;
    if (how_.when_full == overflow::close) {
      give_up(close_code::policy, close_code::policy, "the peer reads too slowly", now);
    }
    return sent::dropped;
  }
  writer_.append_message(output_, payload, is_text);
  return sent::queued;
}

void connection_fsm::close(std::uint16_t code, std::string_view reason, time_point now) {
  if (phase_ != phase::open) return;
  if (fault_waits_) {
    on_fault_due(now);
  } else {
    begin_closing(code, reason, now);
  }
}

std::uint64_t connection_fsm::ping() {
  QUARQ_ASSERT(phase_ == phase::open);
  queue_ping();
  return pings_;
}

message connection_fsm::take_message(time_point now) {
  QUARQ_ASSERT(has_message());
  const bool was_full = inbox_is_full();
  auto first = std::move(inbox_.front());
  inbox_.pop_front();
  inbox_size_ -= first.data.size() + message_overhead;
  // As long as nothing was read, the peer could not show that it lives.
  if (was_full && !inbox_is_full()) last_received_ = last_ping_ = now;
  return first;
}

void connection_fsm::on_reader_waits(time_point now) {
  if (fault_waits_ && phase_ == phase::open && inbox_.empty()) on_fault_due(now);
}

// ---- events

void connection_fsm::on_data(std::span<char> bytes, time_point now) {
  last_received_ = now;
  while (!drops_input_ && phase_ != phase::closed) {
    const auto step = reader_.feed(bytes);
    bytes = bytes.subspan(step.used);
    if (step.event == read_event::needs_more) return;
    take(step.event, now);
  }
}

void connection_fsm::take(read_event event, time_point now) {
  switch (event) {
    case read_event::message: {
      if (phase_ != phase::open) return;
      message one{reader_.take_message(), reader_.is_text()};
      inbox_size_ += one.data.size() + message_overhead;
      inbox_.push_back(std::move(one));
      return;
    }
    case read_event::ping:
      if (phase_ == phase::open) queue_pong();
      return;
    case read_event::pong:
      take_pong();
      return;
    case read_event::close:
      on_close_frame(now);
      return;
    case read_event::failed:
      on_fault(now);
      return;
    case read_event::needs_more:
      return;
  }
}

void connection_fsm::on_end() {
  input_ended_ = true;
  // A peer that has sent its close frame may still be reading ours.
  if (phase_ == phase::open || unsent() == 0)
    finish(close_code::lost, "the connection ended without a close frame");
}

void connection_fsm::on_lost(std::string_view why) {
  finish(close_code::lost, why);
}

void connection_fsm::on_written() {
  in_flight_ = 0;
  if (late_pong_ && has_room()) {
    const auto payload = *std::exchange(late_pong_, std::nullopt);
    if (phase_ == phase::open) writer_.append_pong(output_, payload);
  }
  if (input_ended_ && unsent() == 0) finish(close_code::lost, "the connection ended without a close frame");
}

void connection_fsm::on_deadline(time_point now) {
  if (phase_ == phase::closing && now >= close_deadline_) {
    finish(close_code::lost, "the peer did not close within " + text_of(how_.close_timeout));
    return;
  }
  if (fault_waits_ && phase_ == phase::open && now >= close_deadline_) on_fault_due(now);
  if (!watches_peer()) return;
  if (how_.idle_timeout.count() > 0 && now >= last_received_ + how_.idle_timeout) {
    give_up(close_code::unexpected, close_code::lost, "nothing came for " + text_of(how_.idle_timeout), now);
    return;
  }
  if (how_.ping_interval.count() > 0 && now >= std::max(last_received_, last_ping_) + how_.ping_interval) {
    last_ping_ = now;
    queue_ping();
  }
}

std::optional<connection_fsm::time_point> connection_fsm::deadline() const noexcept {
  if (phase_ == phase::closing || (phase_ == phase::open && fault_waits_)) return close_deadline_;
  if (!watches_peer()) return std::nullopt;
  std::optional<time_point> next;
  if (how_.idle_timeout.count() > 0) next = last_received_ + how_.idle_timeout;
  if (how_.ping_interval.count() > 0) {
    const auto ping_at = std::max(last_received_, last_ping_) + how_.ping_interval;
    if (!next || ping_at < *next) next = ping_at;
  }
  return next;
}

std::string connection_fsm::take_output() {
  QUARQ_ASSERT(has_output());
  in_flight_ = output_.size();
  return std::exchange(output_, {});
}

bool connection_fsm::wants_read() const noexcept {
  if (phase_ == phase::closed || input_ended_) return false;
  return phase_ == phase::closing || !inbox_is_full();
}

// ---- pings

void connection_fsm::queue_ping() {
  ++pings_;
  writer_.append_ping(output_, std::to_string(pings_));
}

void connection_fsm::queue_pong() {
  if (has_room() && !late_pong_) {
    writer_.append_pong(output_, reader_.control_payload());
  } else {
    late_pong_ = std::string(reader_.control_payload());
  }
}

// A pong answers the pings before it, too; one that answers none of ours is unsolicited, and means nothing.
void connection_fsm::take_pong() {
  const auto payload = reader_.control_payload();
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(payload.data(), payload.data() + payload.size(), number);
  if (failure != std::errc() || end != payload.data() + payload.size() || number > pings_) return;
  pongs_through_ = std::max(pongs_through_, number);
}

// ---- closing

void connection_fsm::begin_closing(std::uint16_t code, std::string_view reason, time_point now) {
  writer_.append_close(output_, code, reason);
  phase_ = phase::closing;
  late_pong_.reset();
  close_deadline_ = now + how_.close_timeout;
  own_ = {code, std::string(reason)};
}

void connection_fsm::on_close_frame(time_point now) {
  const auto code = reader_.close_code();
  const std::string reason(reader_.close_reason());
  if (phase_ == phase::open) begin_closing(code, {}, now);
  end_as(code, reason);
  // A client leaves it to the server to end the connection first (RFC 6455, 7.1.1).
  ends_output_ = how_.self == role::server;
}

void connection_fsm::on_fault(time_point now) {
  if (phase_ == phase::open && has_message()) {
    fault_waits_ = true;
    drops_input_ = true;
    close_deadline_ = now + how_.close_timeout;
  } else {
    on_fault_due(now);
  }
}

void connection_fsm::on_fault_due(time_point now) {
  const auto& fault = reader_.failure();
  give_up(fault.code, fault.code, fault.what, now);
}

// Closes without waiting for the peer's close frame. `code` is what the peer is told, `own` what the user is.
void connection_fsm::give_up(std::uint16_t code, std::uint16_t own, std::string_view reason, time_point now) {
  if (phase_ == phase::open) begin_closing(code, reason, now);
  end_as(own, reason);
  ends_output_ = true;
}

// The end is known; the connection itself may still have to end.
void connection_fsm::end_as(std::uint16_t code, std::string_view reason) {
  drops_input_ = true;
  if (!end_) end_ = ending{code, std::string(reason)};
}

void connection_fsm::finish(std::uint16_t code, std::string_view reason) {
  end_as(code, reason);
  phase_ = phase::closed;
  output_.clear();
  output_.shrink_to_fit();
  late_pong_.reset();
}

}  // namespace quarq::http::ws
