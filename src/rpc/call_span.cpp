#include "rpc/call_span.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "codecs/hex.hpp"
#include "trace/traceparent.hpp"

namespace quarq::rpc {

namespace {

const shared_attributes& of_all_calls() {
  static const auto only = shared_attributes::make({{"rpc.system.name", "quarq"}});
  return *only;
}

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
  const auto id = parent ? codecs::to_hex(parent->trace_id) : base::make_id();
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
    : by_(std::move(by)), span_(std::move(span)), side_(side), task_(std::move(task)) {
  its_.push_back({"rpc.method", std::string_view(task_)});
}

void call_span::sent_to(const trace::broker_address& host, int attempts) {
  if (!host.address.empty()) {
    host_ = host.address;
    its_.push_back({"server.address", std::string_view(host_)});
    its_.push_back({"server.port", host.port});
  }
  its_.push_back({"quarq.attempts", std::int64_t{attempts}});
}

void call_span::is_attempt(int number) {
  its_.push_back({"quarq.attempt", std::int64_t{number}});
}

finished_span call_span::ended(std::string_view status) {
  its_.push_back({"rpc.response.status_code", status});
  return {.context = span_.context,
          .parent_span_id = span_.parent,
          .name = task_,
          .kind = side_,
          .start = start_,
          .end = std::chrono::system_clock::now(),
          .shared = of_all_calls()};
}

void call_span::succeeded() {
  auto span = ended("ok");
  span.attributes = its_;
  by_->end(span);
}

void call_span::failed(const failure& why) {
  const std::string_view status = to_string(why.code);
  auto span = ended(status);
  if (side_ == span_kind::client || is_error_of_server(why.code))
    trace::fail(span, its_, why.type.empty() ? status : std::string_view(why.type), why.message);
  span.attributes = its_;
  by_->end(span);
}

}  // namespace quarq::rpc
