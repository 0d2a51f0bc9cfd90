#include "http/net/address_race.hpp"

namespace quarq::http {

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
