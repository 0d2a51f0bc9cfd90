#include "http/net/address_race.hpp"

#include <algorithm>

namespace quarq::http {

using boost::asio::ip::tcp;

std::vector<tcp::endpoint> in_turns(std::vector<tcp::endpoint> addresses) {
  if (addresses.empty()) return addresses;
  const bool first_is_v6 = addresses.front().address().is_v6();
  std::vector<tcp::endpoint> firsts;
  std::vector<tcp::endpoint> others;
  for (const auto& one : addresses) (one.address().is_v6() == first_is_v6 ? firsts : others).push_back(one);
  std::vector<tcp::endpoint> result;
  result.reserve(addresses.size());
  for (std::size_t i = 0; i < std::max(firsts.size(), others.size()); ++i) {
    if (i < firsts.size()) result.push_back(firsts[i]);
    if (i < others.size()) result.push_back(others[i]);
  }
  return result;
}

std::optional<std::size_t> address_race::next_to_start(time_point now) {
  if (started_ == addresses_) return std::nullopt;
  if (!last_failed_ && now < last_start_ + head_start) return std::nullopt;
  last_start_ = now;
  last_failed_ = false;
  return started_++;
}

address_race::time_point address_race::next_start() const {
  if (started_ == addresses_) return time_point::max();
  return last_failed_ ? time_point::min() : last_start_ + head_start;
}

void address_race::failed(std::size_t index) {
  ++failed_;
  if (index + 1 == started_) last_failed_ = true;
}

}  // namespace quarq::http
