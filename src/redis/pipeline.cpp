#include "redis/pipeline.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"

namespace quarq::redis {

namespace {

using state = request::state;

bool is_confirmation_of(request::kind type, const reply& r) {
  if (r.type != reply::kind::push || r.items.empty()) return false;
  return r.items[0].text == (type == request::kind::subscribe ? "subscribe" : "unsubscribe");
}

// A request that was in a queue twice would be executed twice, and shift every reply after it.
void move_state(request& r, [[maybe_unused]] state from, state to) {
  QUARQ_ASSERT(r.at == from);
  r.at = to;
}

bool goes_alone(const request& r) {
  return r.cuts >= pipeline::alone_after;
}

}  // namespace

void pipeline::add(request_ptr r) {
  QUARQ_ASSERT(r && !r->bytes.empty());
  move_state(*r, state::none, state::waiting);
  waiting_.push_back(std::move(r));
}

void pipeline::add_first(request_ptr r) {
  QUARQ_ASSERT(r && !r->bytes.empty());
  move_state(*r, state::none, state::waiting);
  waiting_.push_front(std::move(r));
}

void pipeline::add_retry(request_ptr r) {
  QUARQ_ASSERT(r && !r->bytes.empty());
  move_state(*r, state::none, state::waiting);
  const auto at = std::min(retries_++, waiting_.size());
  waiting_.insert(waiting_.begin() + static_cast<std::ptrdiff_t>(at), std::move(r));
}

void pipeline::gather(std::string& out) {
  const auto count = may_be_sent();
  holds_back_ = count < waiting_.size();
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  std::size_t bytes = out.size();
  for (auto each = waiting_.begin(); each != end; ++each) bytes += (*each)->bytes.size();
  out.reserve(bytes);
  for (auto each = waiting_.begin(); each != end; ++each) {
    out += (*each)->bytes;
    move_state(**each, state::waiting, state::sent);
    sent_.push_back(std::move(*each));
  }
  waiting_.erase(waiting_.begin(), end);
  retries_ -= std::min(retries_, count);
}

// How many of those that wait.
std::size_t pipeline::may_be_sent() const {
  if (!sent_.empty() && goes_alone(*sent_.front())) return 0;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (goes_alone(*waiting_[i])) return i == 0 && sent_.empty() ? 1 : i;
  }
  return waiting_.size();
}

request_ptr pipeline::match(const reply& r) {
  if (sent_.empty()) throw protocol_error("the server sent a reply that nobody asked for");
  const auto type = sent_.front()->type;
  const bool is_push = r.type == reply::kind::push;
  const bool expected =
      type == request::kind::command ? !is_push : (is_confirmation_of(type, r) || r.is_error());
  if (!expected) throw protocol_error("the server's replies are out of step with the requests");
  auto first = std::move(sent_.front());
  sent_.pop_front();
  move_state(*first, state::sent, state::none);
  return first;
}

request_ptr pipeline::take_refused() {
  if (sent_.empty() || !sent_.front()->handler || sent_.front()->type != request::kind::command)
    return nullptr;
  if (++sent_.front()->cuts < max_cuts) return nullptr;
  auto first = std::move(sent_.front());
  sent_.pop_front();
  move_state(*first, state::sent, state::none);
  return first;
}

void pipeline::requeue_sent() {
  for (const auto& r : sent_) move_state(*r, state::sent, r->handler ? state::waiting : state::none);
  std::erase_if(sent_, [](const auto& r) { return r->at == state::none; });
  waiting_.insert(waiting_.begin(), std::make_move_iterator(sent_.begin()),
                  std::make_move_iterator(sent_.end()));
  sent_.clear();
  retries_ = 0;
  holds_back_ = false;
}

void pipeline::abandon(const request_ptr& r) {
  r->handler = nullptr;
  if (r->at != state::waiting) return;
  std::erase(waiting_, r);
  r->at = state::none;
}

std::vector<request_ptr> pipeline::take_expired(clock::time_point now) {
  std::vector<request_ptr> expired;
  std::erase_if(waiting_, [&](const auto& r) {
    const bool late = r->deadline && *r->deadline <= now;
    if (!late) return false;
    move_state(*r, state::waiting, state::none);
    expired.push_back(r);
    return true;
  });
  return expired;
}

std::optional<pipeline::clock::time_point> pipeline::next_deadline() const {
  std::optional<clock::time_point> next;
  for (const auto& r : waiting_) {
    if (r->deadline && (!next || *r->deadline < *next)) next = r->deadline;
  }
  return next;
}

std::vector<request_ptr> pipeline::take_waiting() {
  std::vector<request_ptr> all(std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  for (const auto& r : all) move_state(*r, state::waiting, state::none);
  return all;
}

}  // namespace quarq::redis
