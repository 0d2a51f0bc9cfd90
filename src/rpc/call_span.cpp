#include "rpc/call_span.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "base/ids.hpp"
#include "model/trace_context.hpp"
#include "trace/traceparent.hpp"

namespace quarq::rpc {

namespace {

// Those for which a server is to blame, by the conventions for gRPC and Connect.
bool is_error_of_server(code c) noexcept {
  switch (c) {
    case code::unknown:
    case code::deadline_exceeded:
    case code::unimplemented:
    case code::internal:
    case code::unavailable:
    case code::data_loss:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::unique_ptr<call_span> call_span::begin(span_kind side, const std::string& task, trace_headers& by) {
  auto tracer = trace::current();
  if (!tracer) return nullptr;
  std::optional<span_context> parent;
  if (!by.traceparent.empty()) parent = trace::parse_traceparent(by.traceparent);
  if (parent) parent->trace_state = by.tracestate;
  // A sampler that does not follow the parent chooses all spans of a trace, or none.
  const auto id = parent ? std::string(model::trace_id_of(by.traceparent)) : base::make_id();
  if (tracer->samples(id, parent ? &*parent : nullptr)) {
    auto span = parent ? trace::tracer::begin_child(*parent) : tracer->begin_trace(id);
    by.traceparent = trace::to_traceparent(span.context);
    return std::make_unique<call_span>(std::move(tracer), std::move(span), side, task);
  }
  if (!parent && side == span_kind::client) {
    auto unrecorded = tracer->begin_trace(id).context;
    unrecorded.sampled = false;
    by.traceparent = trace::to_traceparent(unrecorded);
  }
  return nullptr;
}

call_span::call_span(std::shared_ptr<const trace::tracer> by, trace::begun_span span, span_kind side,
                     std::string task)
    : by_(std::move(by)) {
  span_.context = std::move(span.context);
  span_.parent_span_id = span.parent;
  span_.kind = side;
  span_.start = std::chrono::system_clock::now();
  span_.name = task;
  trace::add_text(span_, "rpc.system.name", "quarq");
  trace::add_text(span_, "rpc.method", std::move(task));
}

void call_span::sent_to(const trace::broker_address& host, int attempts) {
  if (!host.address.empty()) {
    trace::add_text(span_, "server.address", host.address);
    trace::add_number(span_, "server.port", host.port);
  }
  trace::add_number(span_, "quarq.attempts", attempts);
}

void call_span::is_attempt(int number) {
  trace::add_number(span_, "quarq.attempt", number);
}

void call_span::succeeded() {
  trace::add_text(span_, "rpc.response.status_code", "ok");
  span_.end = std::chrono::system_clock::now();
  by_->end(std::move(span_));
}

void call_span::failed(const failure& why) {
  const std::string code_name(to_string(why.code));
  trace::add_text(span_, "rpc.response.status_code", code_name);
  if (span_.kind == span_kind::client || is_error_of_server(why.code))
    trace::fail(span_, why.type.empty() ? code_name : why.type, why.message);
  span_.end = std::chrono::system_clock::now();
  by_->end(std::move(span_));
}

}  // namespace quarq::rpc
