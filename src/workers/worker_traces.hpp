// What a worker's attempts are traced by.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/worker.hpp>

#include "trace/messaging.hpp"
#include "trace/tracer.hpp"

namespace quarq::workers {

/// The program's tracer, or one for the time of this worker, which its clients use as well.
class worker_traces {
 public:
  worker_traces() = default;
  ~worker_traces();
  worker_traces(const worker_traces&) = delete;
  worker_traces& operator=(const worker_traces&) = delete;

  /// Throws usage_error for options that can't be used.
  void begin(const worker_options& options);
  /// Exports what has ended, within trace_options::flush_timeout. The loop goes on meanwhile.
  awaitable<void> end();

  /// Null: nothing is traced.
  const trace::tracer* by() const noexcept { return by_.get(); }
  /// Of the queue with this index in worker_options::queues. REQUIRES: something is traced.
  const trace::operation& attempts_on(std::size_t queue) const noexcept { return attempts_[queue]; }

 private:
  std::shared_ptr<const trace::tracer> by_;
  bool is_own_ = false;
  std::vector<trace::operation> attempts_;
};

}  // namespace quarq::workers
