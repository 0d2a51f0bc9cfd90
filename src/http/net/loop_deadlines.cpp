#include "http/net/loop_deadlines.hpp"

#include <boost/asio/io_context.hpp>

namespace quarq::http {

loop_deadlines::loop_deadlines(boost::asio::execution_context& loop) {
  timer_.emplace(static_cast<boost::asio::io_context&>(loop).get_executor());
}

void loop_deadlines::set(has_deadline& whose, std::optional<time_point> when) {
  if (whose.set_for_ == when) return;
  if (whose.set_for_) all_.erase({*whose.set_for_, &whose});
  whose.set_for_ = when;
  if (when) all_.insert({*when, &whose});
  arm();
}

// A timer that is set too early is left so: it costs less than setting it anew for each that is taken out.
void loop_deadlines::arm() {
  if (!timer_ || all_.empty()) return;
  const auto first = all_.begin()->first;
  if (armed_for_ && *armed_for_ <= first) return;
  armed_for_ = first;
  timer_->expires_at(first);
  timer_->async_wait([self = weak_from_this()](const boost::system::error_code& failure) {
    const auto deadlines = self.lock();
    if (deadlines && !failure) deadlines->on_timer();
  });
}

void loop_deadlines::on_timer() {
  armed_for_.reset();
  const auto now = std::chrono::steady_clock::now();
  while (!all_.empty() && all_.begin()->first <= now) {
    auto& one = *all_.begin()->second;
    all_.erase(all_.begin());
    one.set_for_.reset();
    one.on_deadline();
  }
  arm();
}

}  // namespace quarq::http
