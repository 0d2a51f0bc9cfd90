#include "redis/pipeline.hpp"

#include <algorithm>
#include <iterator>

namespace quarq::redis {

namespace {

bool confirms(const reply& r, request::kind type) {
  if (r.type != reply::kind::push || r.items.empty()) return false;
  return r.items[0].text == (type == request::kind::subscribe ? "subscribe" : "unsubscribe");
}

}  // namespace

void pipeline::gather(std::string& out) {
  std::size_t bytes = out.size();
  for (const auto& r : waiting_) bytes += r->bytes.size();
  out.reserve(bytes);
  for (auto& r : waiting_) {
    out += r->bytes;
    sent_.push_back(std::move(r));
  }
  waiting_.clear();
}

request_ptr pipeline::match(const reply& r) {
  if (sent_.empty()) throw protocol_error("the server sent a reply that nobody asked for");
  const auto type = sent_.front()->type;
  const bool is_push = r.type == reply::kind::push;
  const bool expected = type == request::kind::command ? !is_push : (confirms(r, type) || r.is_error());
  if (!expected) throw protocol_error("the server's replies are out of step with the requests");
  auto first = std::move(sent_.front());
  sent_.pop_front();
  return first;
}

void pipeline::lost() {
  std::erase_if(sent_, [](const auto& r) { return !r->done; });
  waiting_.insert(waiting_.begin(), std::make_move_iterator(sent_.begin()),
                  std::make_move_iterator(sent_.end()));
  sent_.clear();
}

void pipeline::abandon(const request_ptr& r) {
  r->done = nullptr;
  std::erase(waiting_, r);
}

std::vector<request_ptr> pipeline::take_expired(clock::time_point now) {
  std::vector<request_ptr> expired;
  std::erase_if(waiting_, [&](const auto& r) {
    const bool late = r->deadline && *r->deadline <= now;
    if (late) expired.push_back(r);
    return late;
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
  return all;
}

}  // namespace quarq::redis
