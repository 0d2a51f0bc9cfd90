// What job<R> does without knowing R.
#pragma once

#include <chrono>
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

class job_handle {
 public:
  /// `accepted_here`: this handle's queue has seen the job accepted, so that it is known to have existed.
  job_handle(std::shared_ptr<clients::queue_impl> queue, std::string id, bool accepted_here)
      : queue_(std::move(queue)), id_(std::move(id)), accepted_here_(accepted_here) {}

  const std::string& id() const noexcept { return id_; }

  /// The encoded result; throws what ended the job otherwise. If a job that was accepted here and returns
  /// void is not there any more, it has succeeded.
  awaitable<std::string> result(std::optional<std::chrono::milliseconds> timeout, bool returns_void) const;
  awaitable<job_state> state(bool returns_void) const;
  awaitable<job_info> info() const;
  awaitable<cancel_outcome> cancel() const;

 private:
  std::shared_ptr<clients::queue_impl> queue_;
  std::string id_;
  bool accepted_here_;
};

}  // namespace detail
}  // namespace quarq
