#include "workers/worker_traces.hpp"

#include <chrono>
#include <utility>

#include <quarq/thread_pool.hpp>

#include "broker/place.hpp"

namespace quarq::workers {
namespace {

void flush_on_thread(std::shared_ptr<const trace::tracer> by) {
  by->options().exporter->flush(by->options().flush_timeout);
}

}  // namespace

worker_traces::~worker_traces() {
  if (is_own_) trace::uninstall(*by_);
}

void worker_traces::begin(const worker_options& options) {
  by_ = trace::current();
  if (!by_ && !options.trace.empty()) {
    trace_options how;
    how.exporter = trace::make_exporter(options.trace);
    how.attempts_are_children = options.attempts_are_children;
    if (!how.exporter) return;
    auto made = std::make_shared<const trace::tracer>(std::move(how));
    is_own_ = trace::install(made);
    by_ = is_own_ ? std::move(made) : trace::current();
  }
  if (!by_) return;
  const auto broker = broker::place_of(options.broker);
  for (const auto& queue : options.queues) {
    attempts_.push_back(trace::operation_on(trace::verb_process, span_kind::consumer, queue.name, broker));
  }
}

awaitable<void> worker_traces::end() {
  if (!by_) co_return;
  if (std::exchange(is_own_, false)) trace::uninstall(*by_);
  thread_pool_options one;
  one.size = 1;
  one.name = "traces";
  const thread_pool thread(one);
  co_await thread.run(&flush_on_thread, by_);
}

}  // namespace quarq::workers
