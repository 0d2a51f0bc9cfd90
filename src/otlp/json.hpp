// Spans as OTLP's JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quarq/trace.hpp>

namespace quarq::otlp {

using named_text = std::pair<std::string, std::string>;

/// An ExportTraceServiceRequest in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding):
/// ids in hexadecimal, 64-bit integers as strings. Made anew for each batch; what they share is made once.
class request_writer {
 public:
  explicit request_writer(const std::vector<named_text>& resource);
  std::string write(std::span<const finished_span> spans) const;

 private:
  std::string before_;
};

/// How many spans an answer with 2xx says were rejected; 0 if that can't be read.
std::uint64_t rejected_spans(std::string_view answer);

}  // namespace quarq::otlp
