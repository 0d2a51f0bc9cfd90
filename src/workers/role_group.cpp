#include "workers/role_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace quarq::workers {

namespace asio = boost::asio;

void role_group::spawn(awaitable<void> role) {
  const auto signal = signals_.emplace(signals_.end());
  const auto done = [this, signal, owner = owner_.lock()](std::exception_ptr e) {
    signals_.erase(signal);
    if (e && !closed_) failure_ = e;
    ended_();
  };
  asio::co_spawn(loop_, std::move(role), asio::bind_cancellation_slot(signal->slot(), done));
}

void role_group::close() {
  closed_ = true;
  // A role may end, and so leave the list, while it is cancelled.
  for (auto next = signals_.begin(); next != signals_.end();) {
    auto& signal = *next++;
    signal.emit(asio::cancellation_type::terminal);
  }
}

}  // namespace quarq::workers
