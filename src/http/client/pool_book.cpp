#include "http/client/pool_book.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace quarq::http {

std::optional<pool_book::connection_id> pool_book::take_idle(const std::string& host, time_point now) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return std::nullopt;
  auto& state = found->second;
  const auto usable = std::find_if(state.idle.rbegin(), state.idle.rend(),
                                   [now](const idle_connection& one) { return one.until > now; });
  if (usable == state.idle.rend()) return std::nullopt;
  const auto id = usable->id;
  state.idle.erase(std::next(usable).base());
  --idle_;
  ++state.in_use;
  ++in_use_;
  return id;
}

pool_book::decision pool_book::ask(const std::string& host, time_point now) {
  if (const auto idle = take_idle(host, now)) return {grant::reuse, *idle, std::nullopt};
  auto& state = hosts_[host];
  if (state.in_use >= limits_.per_host) return {grant::host_full, 0, std::nullopt};
  if (in_use_ >= limits_.total) {
    forget_if_unused(host);
    return {grant::all_full, 0, std::nullopt};
  }
  const auto evicted = make_room(host);
  ++hosts_[host].in_use;
  ++in_use_;
  return {grant::open, 0, evicted};
}

// Idle connections count as well: one of this host if it has too many, else that which has been idle longest.
std::optional<pool_book::connection_id> pool_book::make_room(const std::string& host) {
  const auto& own = hosts_[host];
  auto from = hosts_.end();
  if (own.in_use + own.idle.size() >= limits_.per_host) {
    from = hosts_.find(host);
  } else if (in_use_ + idle_ >= limits_.total) {
    for (auto one = hosts_.begin(); one != hosts_.end(); ++one) {
      if (one->second.idle.empty()) continue;
      if (from == hosts_.end() || one->second.idle.front().turn < from->second.idle.front().turn) from = one;
    }
  }
  if (from == hosts_.end()) return std::nullopt;
  const auto evicted = from->second.idle.front().id;
  from->second.idle.erase(from->second.idle.begin());
  --idle_;
  forget_if_unused(std::string(from->first));
  return evicted;
}

void pool_book::give_back(const std::string& host, connection_id connection, time_point until) {
  auto& state = hosts_.at(host);
  QUARQ_ASSERT(state.in_use > 0);
  --state.in_use;
  --in_use_;
  state.idle.push_back({connection, turn_++, until});
  ++idle_;
  first_expiry_ = std::min(first_expiry_, until);
}

void pool_book::gone(const std::string& host) {
  auto& state = hosts_.at(host);
  QUARQ_ASSERT(state.in_use > 0);
  --state.in_use;
  --in_use_;
  forget_if_unused(host);
}

std::vector<pool_book::connection_id> pool_book::take_expired(time_point now) {
  std::vector<connection_id> expired;
  if (now < first_expiry_) return expired;
  for (auto host = hosts_.begin(); host != hosts_.end();) {
    auto& state = host->second;
    idle_ -= std::erase_if(state.idle, [&](const idle_connection& one) {
      const bool is_expired = one.until <= now;
      if (is_expired) expired.push_back(one.id);
      return is_expired;
    });
    const bool unused = state.in_use == 0 && state.idle.empty();
    host = unused ? hosts_.erase(host) : std::next(host);
  }
  first_expiry_ = next_expiry();
  return expired;
}

pool_book::time_point pool_book::next_expiry() const {
  auto next = time_point::max();
  for (const auto& [host, state] : hosts_)
    for (const auto& one : state.idle) next = std::min(next, one.until);
  return next;
}

std::size_t pool_book::room(const std::string& host) const {
  const auto found = hosts_.find(host);
  const auto of_host = limits_.per_host - (found == hosts_.end() ? 0 : found->second.in_use);
  return std::min(of_host, room());
}

void pool_book::forget_if_unused(const std::string& host) {
  const auto found = hosts_.find(host);
  if (found != hosts_.end() && found->second.in_use == 0 && found->second.idle.empty()) hosts_.erase(found);
}

}  // namespace quarq::http
