#include "clients/enqueue_counter.hpp"

#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace quarq::clients {

namespace asio = boost::asio;

void enqueue_counter::add(std::string_view task, std::uint64_t count) {
  auto found = unsent_.find(task);
  if (found == unsent_.end()) found = unsent_.emplace(std::string(task), 0).first;
  found->second += count;
}

void enqueue_counter::tell() {
  if (waits_ || unsent_.empty() || !timer_) return;
  const auto now = steady::now();
  if (now < sent_at_ + interval) {
    waits_ = true;
    timer_->expires_at(sent_at_ + interval);
    timer_->async_wait([weak = weak_from_this()](boost::system::error_code) {
      const auto self = weak.lock();
      if (!self) return;
      self->waits_ = false;
      self->tell();
    });
    return;
  }
  sent_at_ = now;
  std::vector<broker::task_counts> counts;
  for (auto& [task, count] : std::exchange(unsent_, {})) {
    auto& one = counts.emplace_back();
    one.task = task;
    one.counts.enqueued = count;
  }
  asio::co_spawn(loop_, send(store_, queue_, std::move(counts)), asio::detached);
}

void enqueue_counter::close() noexcept {
  timer_.reset();
  store_.reset();
}

awaitable<void> enqueue_counter::send(std::shared_ptr<broker::broker> store, std::string queue,
                                      std::vector<broker::task_counts> counts) {
  try {
    co_await store->add_stats(std::move(queue), std::move(counts));
  } catch (const std::exception&) {
    // What ails the store, the enqueueing itself has met.
  }
}

}  // namespace quarq::clients
