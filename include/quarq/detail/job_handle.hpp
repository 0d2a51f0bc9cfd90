// What job<R> does without knowing R.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <quarq/awaitable.hpp>
#include <quarq/job_info.hpp>
#include <quarq/job_state.hpp>

namespace quarq {

namespace clients {
class queue_impl;
}

namespace detail {

/// Hears how far a job is; empty if nobody wants to.
using progress_function = std::function<void(const job_progress&)>;

class job_handle {
 public:
  job_handle(std::shared_ptr<clients::queue_impl> queue, std::string id)
      : queue_(std::move(queue)), id_(std::move(id)) {}

  const std::string& id() const noexcept { return id_; }

  /// The encoded result; throws what ended the job otherwise.
  awaitable<std::string> result(std::optional<std::chrono::milliseconds> timeout,
                                progress_function on_progress = {}) const;
  awaitable<job_state> state() const;
  awaitable<job_info> info() const;
  awaitable<cancel_outcome> cancel() const;

 private:
  std::shared_ptr<clients::queue_impl> queue_;
  std::string id_;
};

}  // namespace detail
}  // namespace quarq
