#include "rpc/balancer.hpp"

#include <algorithm>
#include <utility>

namespace quarq::rpc {

using std::chrono::milliseconds;

balancer::balancer(std::size_t hosts, breaker_options options, std::function<double()> random)
    : options_(options), random_(std::move(random)), hosts_(hosts) {}

bool balancer::may_get(const host_state& h, time_point now) const noexcept {
  return !h.out_until || (now >= *h.out_until && !h.probed);
}

std::optional<balancer::ticket> balancer::pick(time_point now, std::optional<std::size_t> avoid) {
  std::optional<std::size_t> best;
  const auto is_better = [&](std::size_t a, std::size_t b) {
    if ((a == avoid) != (b == avoid)) return b == avoid;
    return hosts_[a].outstanding < hosts_[b].outstanding;
  };
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const std::size_t host = (next_ + i) % hosts_.size();
    if (may_get(hosts_[host], now) && (!best || is_better(host, *best))) best = host;
  }
  if (!best) return std::nullopt;
  next_ = (*best + 1) % hosts_.size();
  auto& h = hosts_[*best];
  ++h.outstanding;
  ticket call{*best, h.times_out, h.out_until.has_value(), now};
  if (call.is_probe) h.probed = true;
  return call;
}

void balancer::take_out(host_state& h, time_point now) {
  h.pause = h.pause == milliseconds{0} ? options_.first_pause : std::min(2 * h.pause, options_.max_pause);
  const auto varied = static_cast<double>(h.pause.count()) * (0.8 + 0.4 * random_());
  h.out_until = now + milliseconds(static_cast<milliseconds::rep>(varied));
  h.probed = false;
  h.failures = 0;
  ++h.times_out;
}

void balancer::ended(const ticket& call, host_result shown, time_point now) {
  auto& h = hosts_[call.host];
  --h.outstanding;
  const bool is_old = was_known(call);
  switch (shown) {
    case host_result::good:
      h = {h.outstanding, 0, h.times_out, std::nullopt, milliseconds{0}, false, now};
      break;
    case host_result::unknown:
      if (call.is_probe && !is_old) h.probed = false;
      break;
    case host_result::failed:
    case host_result::lost:
      if (is_old || (shown == host_result::failed && h.last_good > call.began)) break;
      ++h.failures;
      if (shown == host_result::lost || call.is_probe || h.failures >= options_.max_failures)
        take_out(h, now);
      break;
  }
}

bool balancer::was_known(const ticket& call) const noexcept {
  return hosts_[call.host].times_out != call.service;
}

bool balancer::has_another(std::size_t than) const noexcept {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (i != than && in_service(i)) return true;
  }
  return false;
}

}  // namespace quarq::rpc
