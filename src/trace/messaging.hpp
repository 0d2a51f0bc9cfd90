// What spans of a job queue are called, and the keys of their attributes: OpenTelemetry's conventions for
// messaging (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/, version 1.38).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <quarq/trace.hpp>

#include "trace/tracer.hpp"

namespace quarq::trace {

/// Where a broker listens.
struct broker_address {
  std::string address;  ///< empty: nowhere that is known
  std::int64_t port = 0;
};

inline constexpr std::string_view operation_create = "create", operation_send = "send",
                                  operation_process = "process";

/// A span about a queue, with its name and the attributes that all of them have.
finished_span messaging_span(begun_span of, std::string_view operation, const std::string& queue,
                             const broker_address& broker);

void add_text(finished_span& to, std::string_view key, std::string value);
void add_number(finished_span& to, std::string_view key, std::int64_t value);
void add_job(finished_span& to, std::string id, std::string task);
/// `type`: the name of an exception's type, or a word.
void fail(finished_span& one, std::string type, std::string_view message);

}  // namespace quarq::trace
