// Traces: spans of what is enqueued and of its attempts, by OpenTelemetry's conventions, for the exporter of
// your choice.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

namespace trace {
class tracer;
}

/// What names a span (W3C Trace Context, https://www.w3.org/TR/trace-context/). All zeros: none.
struct span_context {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  bool sampled = false;
  std::string trace_state;  ///< as its header has it
};

/// As OTLP numbers them (opentelemetry/proto/trace/v1/trace.proto).
enum class span_kind { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };
enum class span_status { unset = 0, ok = 1, error = 2 };

struct span_attribute {
  std::string_view key;  ///< lives as long as the program
  std::variant<std::string_view, std::int64_t> value;
};

/// Attributes that many spans share, such as all attempts on one queue. They never change, so an exporter may
/// keep them, by shared_from_this(), and what it has made of them. Thread safety: any.
class shared_attributes : public std::enable_shared_from_this<shared_attributes> {
  struct made_here {
    explicit made_here() = default;
  };

 public:
  /// Each key lives as long as the program.
  using owned = std::pair<std::string_view, std::variant<std::string, std::int64_t>>;
  static std::shared_ptr<const shared_attributes> make(std::vector<owned> of);
  shared_attributes(made_here, std::vector<owned> of);  ///< for make()
  shared_attributes(const shared_attributes&) = delete;
  shared_attributes& operator=(const shared_attributes&) = delete;

  std::span<const span_attribute> all() const noexcept { return views_; }

 private:
  const std::vector<owned> owned_;
  std::vector<span_attribute> views_;
};

/// A span that has ended. docs/tracing.md says which there are, and what their attributes mean. It refers to
/// what is there for as long as span_exporter::add has it, as a copy of it does: copy what it refers to.
struct finished_span {
  const span_context& context;
  std::array<std::uint8_t, 8> parent_span_id{};  ///< zeros: it is the first of its trace
  std::string_view name;
  span_kind kind = span_kind::internal;
  std::chrono::system_clock::time_point start{}, end{};
  const shared_attributes& shared;               ///< it has these attributes,
  std::span<const span_attribute> attributes{};  ///< and these of its own
  std::span<const span_context> links{};
  std::size_t dropped_links = 0;  ///< that would have been too many
  span_status status = span_status::unset;
  std::string_view status_message{};
};

/// Since the program began.
struct span_counts {
  std::uint64_t exported = 0;  ///< that their receiver has taken
  std::uint64_t dropped = 0;
};

/// Gets the spans of this program as they end: quarq::otlp_exporter (<quarq/otlp.hpp>), or one of your own,
/// which may hand them to a SpanProcessor of opentelemetry-cpp. Thread safety: all members are called by any
/// thread, at the same time.
class span_exporter {
 public:
  virtual ~span_exporter() = default;
  /// Is called on the loop of a worker or client, with spans that are sampled. It must return at once: to
  /// keep them in memory for a thread of its own is right, to send them from here is not.
  virtual void add(const finished_span& span) noexcept = 0;
  /// Sends what it has, and blocks until that is done, for no longer than `limit`. It is not called on a loop
  /// that others use.
  virtual void flush(std::chrono::milliseconds limit) noexcept { static_cast<void>(limit); }
  virtual span_counts counts() const noexcept { return {}; }
};

/// Which traces are recorded. The decision is that of OpenTelemetry's samplers "parentbased_traceidratio" and
/// its like.
struct trace_sampling {
  /// The share of traces that begin here, 0 to 1. For a job it depends on its id alone: where clients and
  /// workers have the same ratio they choose the same jobs, and all attempts of a job are chosen or none.
  double ratio = 1;
  /// Where a call or job already belongs to a trace, whether that is recorded decides.
  bool follow_parent = true;

  /// As OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say. What can't be read there is logged, and counts
  /// as not set, as OpenTelemetry asks for.
  static trace_sampling from_environment();
};

struct trace_options {
  std::shared_ptr<span_exporter> exporter;
  trace_sampling sampling = trace_sampling::from_environment();
  /// Whether an attempt is a child of what has enqueued its job: one trace shows both. By default it begins a
  /// trace of its own, with a link to the other, as OpenTelemetry's conventions for messaging ask for.
  bool attempts_are_children = false;
  /// Whether each job that is enqueued with others has a span of its own, so that its attempts link to it.
  /// Without, they link to that of the whole batch.
  bool create_spans = true;
  /// How long the end of a worker, or of quarq::tracing, waits for what is not exported yet.
  std::chrono::milliseconds flush_timeout{3'000};
};

/// While it lives, this program's queues, clients and workers make spans. There is one at a time; without it
/// nothing is recorded, and jobs pass on the traces of their callers as ever (context::traceparent).
///
///     int main() {
///       const quarq::tracing traces({.exporter = std::make_shared<quarq::otlp_exporter>()});
///
/// A worker with worker_options::trace, or --trace, has its own.
class tracing {
 public:
  /// Throws usage_error if there is one already, without an exporter, and for a ratio that is not within 0
  /// and 1.
  explicit tracing(trace_options options);
  /// Flushes the exporter. It is held by what is still under way.
  ~tracing();
  tracing(const tracing&) = delete;
  tracing& operator=(const tracing&) = delete;

 private:
  std::shared_ptr<const trace::tracer> tracer_;
};

}  // namespace quarq
