// What spans of a job queue are called, and the keys of their attributes: OpenTelemetry's conventions for
// messaging (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/, version 1.38).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/container/static_vector.hpp>

#include <quarq/trace.hpp>

#include "trace/tracer.hpp"

namespace quarq::trace {

/// Where a broker listens.
struct broker_address {
  std::string address;  ///< empty: nowhere that is known
  std::int64_t port = 0;
};

inline constexpr std::string_view verb_create = "create", verb_send = "send", verb_process = "process";

/// What the spans of one operation on one queue have in common.
struct operation {
  std::string name;  ///< of its spans
  span_kind kind = span_kind::internal;
  std::shared_ptr<const shared_attributes> attributes;

  /// REQUIRES: this and `of` exist as long as what is returned.
  finished_span span(const begun_span& of) const;
};
operation operation_on(std::string_view verb, span_kind kind, const std::string& queue,
                       const broker_address& broker);

/// Those of one span; none has more.
using own_attributes = boost::container::static_vector<span_attribute, 8>;

void add_job(own_attributes& to, std::string_view id, std::string_view task);
/// `type`: the name of an exception's type, or a word. REQUIRES: `type` and `message` exist as long as `one`.
void fail(finished_span& one, own_attributes& its, std::string_view type, std::string_view message);

}  // namespace quarq::trace
