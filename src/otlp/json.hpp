// Spans as OTLP's JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <quarq/trace.hpp>

#include "otlp/stored_spans.hpp"

namespace quarq::otlp {

using named_text = std::pair<std::string, std::string>;

/// Writes ExportTraceServiceRequests in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in
/// hexadecimal, 64-bit integers as strings. What spans share is made once. Thread safety: none.
class request_writer {
 public:
  explicit request_writer(const std::vector<named_text>& resource);
  /// What it returns is there until the next call.
  std::string_view write(const stored_spans& spans);

 private:
  struct known_text {
    std::shared_ptr<const shared_attributes> of;
    std::string text;
  };
  void append(const finished_span& one);
  std::string_view text_of(const shared_attributes& which);

  std::string head_, request_;
  std::unordered_map<const shared_attributes*, known_text> known_;
};

/// How many spans an answer with 2xx says were rejected; 0 if that can't be read.
std::uint64_t rejected_spans(std::string_view answer);

}  // namespace quarq::otlp
