#include <utility>

#include <quarq/client.hpp>
#include <quarq/errors.hpp>

#include "clients/shared_loop.hpp"

namespace quarq {

client::client(std::string broker, std::string queue)
    : queue_(std::move(broker), std::move(queue)), loop_(std::make_unique<clients::shared_loop>()) {}

client::~client() {
  if (loop_->has_thread_here()) return;
  // The thread that a copy of the process lacks can be neither joined nor destroyed, nor can what it holds.
  [[maybe_unused]] const auto* const kept = loop_.release();
  [[maybe_unused]] const auto* const queue = new quarq::queue(queue_);
}

void client::run(awaitable<void> work) {
  if (!loop_->has_thread_here()) {
    throw error(
        "a quarq::client can't be used in a copy of its process that fork() made: make another there");
  }
  loop_->run(std::move(work));
}

void client::close() {
  if (loop_->has_thread_here()) loop_->close();
}

}  // namespace quarq
