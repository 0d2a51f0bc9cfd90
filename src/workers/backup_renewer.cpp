#include "workers/backup_renewer.hpp"

#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/log.hpp"

namespace quarq::workers {

namespace asio = boost::asio;

backup_renewer::backup_renewer(const opener& open, std::function<void(clock::time_point)> kept)
    : broker_(open(loop_.get_executor())), kept_(std::move(kept)) {}

// A renewal that is under way ends, and the connection closes in order.
backup_renewer::~backup_renewer() {
  loop_.restart();
  if (is_asking_) cancel_.emit(asio::cancellation_type::terminal);
  loop_.poll();
  broker_.reset();
  loop_.poll();
}

void backup_renewer::renew(renewed_lease what) {
  if (std::exchange(is_asking_, true)) return;
  const auto answered = [this](std::exception_ptr) { is_asking_ = false; };
  asio::co_spawn(loop_, ask(broker_, std::move(what)),
                 asio::bind_cancellation_slot(cancel_.slot(), answered));
}

void backup_renewer::run_until(std::chrono::steady_clock::time_point when) {
  loop_.run_until(when);
}

awaitable<void> backup_renewer::ask(std::shared_ptr<broker::broker> by, renewed_lease what) {
  what.terms.takes_jobs = false;
  const auto until = machine_clock::read() + what.terms.duration;
  try {
    const auto answer = co_await by->renew(std::move(what.held), std::move(what.terms));
    if (answer.held) kept_(until);
  } catch (const error& e) {
    if (!std::exchange(has_complained_, true))
      base::log().warn("could not renew the lease while the loop is blocked: {}", e.what());
  }
}

}  // namespace quarq::workers
