// The spans of calls over HTTP, of those who call and of those who serve: OpenTelemetry's conventions for RPC
// (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/, version 1.45).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <quarq/trace.hpp>

#include "rpc/failure.hpp"
#include "trace/messaging.hpp"
#include "trace/tracer.hpp"

namespace quarq::rpc {

/// A trace, as the headers of a request say it. Empty: none.
struct trace_headers {
  std::string traceparent;
  std::string tracestate;
};

/// From where the call begins to end(). One that does not end, as its coroutine was destroyed, has no span.
class call_span {
 public:
  /// Null: nothing is traced, or this call is not recorded. `by`: the trace to which it belongs; what the call leads to
  /// belongs to its span then. A client that records nothing says that, too.
  static std::unique_ptr<call_span> begin(span_kind side, const std::string& task, trace_headers& by);

  call_span(std::shared_ptr<const trace::tracer> by, trace::begun_span span, span_kind side,
            std::string task);
  call_span(const call_span&) = delete;
  call_span& operator=(const call_span&) = delete;

  /// Where it was sent last, and how often.
  void sent_to(const trace::broker_address& host, int attempts);
  /// At which attempt of its caller's it is.
  void is_attempt(int number);
  void succeeded();
  void failed(const failure& why);

 private:
  finished_span ended(std::string_view status);

  const std::shared_ptr<const trace::tracer> by_;
  const trace::begun_span span_;
  const span_kind side_;
  const std::string task_;
  const std::chrono::system_clock::time_point start_ = std::chrono::system_clock::now();
  std::string host_;
  trace::own_attributes its_;  // refers to the members above
};

}  // namespace quarq::rpc
