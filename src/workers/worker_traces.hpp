// What a worker's attempts are traced by.
#pragma once

#include <memory>

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
  const trace::broker_address& broker() const noexcept { return broker_; }

 private:
  std::shared_ptr<const trace::tracer> by_;
  bool is_own_ = false;
  trace::broker_address broker_;
};

}  // namespace quarq::workers
