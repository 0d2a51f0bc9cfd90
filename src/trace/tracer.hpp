// What makes spans, while quarq::tracing lives.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <quarq/trace.hpp>

namespace quarq::trace {

/// A span that has begun.
struct begun_span {
  span_context context;
  std::array<std::uint8_t, 8> parent{};
};

/// Thread safety: any.
class tracer {
 public:
  explicit tracer(trace_options options) : options_(std::move(options)) {}

  const trace_options& options() const noexcept { return options_; }

  /// Whether a span is recorded that `created_by` leads to; null: nothing does, and it is about the job with
  /// this id.
  bool samples(std::string_view id, const span_context* created_by) const noexcept;
  /// The first span of a trace, which is recorded. The trace's id depends on that of the job in a part.
  begun_span begin_trace(std::string_view id) const;
  /// One that is recorded.
  static begun_span begin_child(const span_context& of);

  void end(const finished_span& span) const noexcept { options_.exporter->add(span); }

 private:
  trace_options options_;
};

namespace tracer_detail {
extern std::atomic<bool> is_on;
std::shared_ptr<const tracer> locked_current();
}  // namespace tracer_detail

/// Whether there is one. What costs without tracing is this alone.
inline bool is_on() noexcept {
  return tracer_detail::is_on.load(std::memory_order_relaxed);
}
/// That of this program; null: nothing is traced.
inline std::shared_ptr<const tracer> current() {
  return is_on() ? tracer_detail::locked_current() : nullptr;
}

/// Makes it that of this program. False: there is one already. Throws usage_error for options that can't be
/// used.
bool install(std::shared_ptr<const tracer> one);
/// Nothing is traced any more, unless another has been installed.
void uninstall(const tracer& one) noexcept;

/// Makes an exporter for worker_options::trace.
using exporter_maker = std::shared_ptr<span_exporter> (*)(const std::string& endpoint);
/// For a static initialiser of the library quarq::otlp.
void set_exporter_maker(exporter_maker maker) noexcept;
/// Throws usage_error, naming the library, if the program is not linked with quarq::otlp; and for an endpoint
/// that can't be used. "env": as OTEL_EXPORTER_OTLP_ENDPOINT says.
std::shared_ptr<span_exporter> make_exporter(const std::string& endpoint);

}  // namespace quarq::trace
