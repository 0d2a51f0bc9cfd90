// Sends traces to a collector of OpenTelemetry, by OTLP over HTTP, as JSON.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <quarq/detail/at_least_cpp20.hpp>
#include <quarq/trace.hpp>

namespace quarq {

struct otlp_options {
  /// Where the collector listens, by http or https; /v1/traces is appended unless it is there.
  std::string endpoint = "http://localhost:4318";
  std::string traces_url = {};  ///< the whole URL, in place of what `endpoint` says
  /// Under which name the traces are found (the resource's service.name); "": "unknown_service:" and the
  /// program's name.
  std::string service_name = {};
  /// More attributes of the resource.
  std::vector<std::pair<std::string, std::string>> resource = {};
  /// Sent with each request. Their values are secrets: they are shown nowhere.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds timeout{10'000};  ///< for a request
  /// How many spans may wait, those on their way besides. What comes while so many wait is dropped, and
  /// counted.
  std::size_t max_queue = 8'192;
  std::size_t max_batch = 512;  ///< in a request
  std::chrono::milliseconds delay{
      5'000};  ///< how long spans wait for others, while they are fewer than a batch

  /// As OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS and _TIMEOUT say, the same with _TRACES, OTEL_SERVICE_NAME,
  /// OTEL_RESOURCE_ATTRIBUTES and OTEL_BSP_* (docs/tracing.md). What can't be read is logged, and counts as
  /// not set.
  static otlp_options from_environment();
};

/// Has a thread of its own, which collects spans into batches. A batch that the collector does not take for a
/// while (429, 502, 503, 504, or no answer) is sent again, up to five times in all, after pauses that double
/// from a second on, or after what Retry-After says; any other answer than 2xx is final. Spans that are lost
/// in one of these ways are counted and logged once a minute. add() never waits for any of that.
class otlp_exporter final : public span_exporter {
 public:
  /// Throws usage_error that names the option for what can't be used.
  explicit otlp_exporter(otlp_options options = otlp_options::from_environment());
  /// What is not sent by then is lost: quarq::tracing flushes before.
  ~otlp_exporter() override;
  otlp_exporter(const otlp_exporter&) = delete;
  otlp_exporter& operator=(const otlp_exporter&) = delete;

  void add(const finished_span& span) noexcept override;
  void flush(std::chrono::milliseconds limit) noexcept override;
  span_counts counts() const noexcept override;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace quarq
