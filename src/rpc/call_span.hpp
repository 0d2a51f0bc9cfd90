// The spans of calls over HTTP, of those who call and of those who serve: OpenTelemetry's conventions for RPC
// (https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/, version 1.45).
#pragma once

#include <chrono>
#include <memory>
#include <string>

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

  /// Where it was sent last, and how often.
  void sent_to(const trace::broker_address& host, int attempts);
  /// At which attempt of its caller's it is.
  void is_attempt(int number);
  void succeeded();
  void failed(const failure& why);

 private:
  const std::shared_ptr<const trace::tracer> by_;
  finished_span span_;
};

}  // namespace quarq::rpc
