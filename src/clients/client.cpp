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

void client::check_process() const {
  if (loop_->has_thread_here()) return;
  throw error("a quarq::client can't be used in a copy of its process that fork() made: make another there");
}

void client::run(awaitable<void> work) {
  check_process();
  loop_->run(std::move(work));
}

std::string client::result_of(const std::string& id, std::optional<milliseconds> timeout,
                              const detail::progress_function& on_progress) {
  if (!on_progress) return wait_for(handle(id).result(timeout));
  check_process();
  std::optional<std::string> encoded;
  const auto work = [&](detail::progress_function report) {
    return detail::store(handle(id).result(timeout, std::move(report)), encoded);
  };
  loop_->run(work, on_progress);
  return std::move(*encoded);
}

void client::close() {
  if (loop_->has_thread_here()) loop_->close();
}

}  // namespace quarq
