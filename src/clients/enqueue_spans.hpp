// The spans of calls that are enqueued together.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/context.hpp>
#include <quarq/detail/call_data.hpp>
#include <quarq/detail/enqueue.hpp>

#include "broker/broker.hpp"
#include "clients/queue_impl.hpp"
#include "trace/messaging.hpp"
#include "trace/tracer.hpp"

namespace quarq::clients {

/// A single call has a span "send", to which its attempts lead. Of several, each that is sampled has a span
/// "create" for that, and all have a span "send" with links to those.
class enqueue_spans {
 public:
  /// Gives the calls that are sampled the headers of their spans. `job`: for which they are enqueued; its
  /// attempt is the parent. Null: none is sampled. REQUIRES: the queue exists as long as what is returned.
  static std::unique_ptr<enqueue_spans> begin(queue_impl& queue, std::vector<detail::call_data>& calls,
                                              const context* job);
  /// For which a coroutine on this executor runs; null: for none.
  static const context* job_of(const boost::asio::any_io_executor& executor);

  enqueue_spans(std::shared_ptr<const trace::tracer> by, queue_impl& queue, std::size_t calls);

  /// Awaits `sending`, and notes what it throws. REQUIRES: `spans` exists as long.
  static awaitable<std::vector<broker::accepted>> watch(enqueue_spans& spans,
                                                        awaitable<std::vector<broker::accepted>> sending);
  /// `sent`: all calls, in their order.
  void ended(const std::vector<detail::enqueued>& sent);
  void failed(const std::exception& thrown);

 private:
  struct recorded {
    trace::begun_span span;
    std::optional<span_context> parent;
    std::string id, task;
  };

  static std::optional<recorded> choose(const trace::tracer& by, detail::call_data& call, const context* job);
  void share(std::vector<detail::call_data>& calls) const;
  bool is_batch() const noexcept { return calls_ > 1; }
  finished_span span_of(const trace::operation& which, const trace::begun_span& one,
                        std::chrono::system_clock::time_point end) const;
  void end_call(const trace::operation& which, const recorded& one, std::chrono::system_clock::time_point end,
                std::string_view error_type, std::string_view error) const;
  void end_single(std::string_view error_type, std::string_view error) const;
  void end_batch(std::string_view error_type, std::string_view error) const;

  const std::shared_ptr<const trace::tracer> by_;
  const enqueue_operations& traced_;
  const std::size_t calls_;
  const std::chrono::system_clock::time_point start_ = std::chrono::system_clock::now();
  std::chrono::system_clock::time_point created_ = start_;
  std::vector<recorded> recorded_;
};

}  // namespace quarq::clients
