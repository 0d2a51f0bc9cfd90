#include "trace/tracer.hpp"

#include <cstring>
#include <mutex>
#include <string>

#include <boost/endian/conversion.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "base/ids.hpp"
#include "trace/sampling.hpp"

namespace quarq::trace {
namespace {

constinit std::mutex current_mutex;  // guards current_one
std::shared_ptr<const tracer>& current_one() {
  static std::shared_ptr<const tracer> only;
  return only;
}

constinit exporter_maker exporters_of_this_program = nullptr;

// The highest byte first, so that a number's last bits are those of the id.
void put(std::uint8_t* to, std::uint64_t bits) noexcept {
  bits = boost::endian::native_to_big(bits);
  std::memcpy(to, &bits, sizeof bits);
}

// Never all zeros, which would be no id.
std::uint64_t id_bits() {
  return base::random_bits() | 1;
}

void check(const trace_options& options) {
  if (!options.exporter) throw usage_error("tracing: it needs an exporter");
  const auto ratio = options.sampling.ratio;
  if (!(ratio >= 0 && ratio <= 1))
    throw usage_error(fmt::format("tracing: sampling.ratio: expected 0 to 1, got {}", ratio));
}

}  // namespace

std::atomic<bool> tracer_detail::is_on = false;

std::shared_ptr<const tracer> tracer_detail::locked_current() {
  const std::lock_guard lock(current_mutex);
  return current_one();
}

bool install(std::shared_ptr<const tracer> one) {
  check(one->options());
  const std::lock_guard lock(current_mutex);
  if (current_one()) return false;
  current_one() = std::move(one);
  tracer_detail::is_on = true;
  return true;
}

void uninstall(const tracer& one) noexcept {
  std::shared_ptr<const tracer> last;  // destroyed without the lock
  const std::lock_guard lock(current_mutex);
  if (current_one().get() != &one) return;
  tracer_detail::is_on = false;
  last = std::move(current_one());
}

bool tracer::samples(std::string_view id, const span_context* created_by) const noexcept {
  if (options_.sampling.follow_parent && created_by != nullptr) return created_by->sampled;
  return is_in_share(number_of(id), options_.sampling.ratio);
}

begun_span tracer::begin_trace(std::string_view id) const {
  begun_span made;
  put(made.context.trace_id.data(), id_bits());
  put(made.context.trace_id.data() + 8, number_of(id));
  put(made.context.span_id.data(), id_bits());
  made.context.sampled = true;
  return made;
}

begun_span tracer::begin_child(const span_context& of) {
  begun_span made;
  made.context = of;
  made.parent = of.span_id;
  put(made.context.span_id.data(), id_bits());
  made.context.sampled = true;
  return made;
}

void set_exporter_maker(exporter_maker maker) noexcept {
  exporters_of_this_program = maker;
}

std::shared_ptr<span_exporter> make_exporter(const std::string& endpoint) {
  if (exporters_of_this_program == nullptr) {
    throw usage_error(
        "option trace: it needs the library quarq::otlp, with which this program is not linked (CMake: "
        "target_link_libraries(... quarq::otlp), pkg-config: quarq-otlp)");
  }
  return exporters_of_this_program(endpoint);
}

}  // namespace quarq::trace

namespace quarq {

std::shared_ptr<const shared_attributes> shared_attributes::make(std::vector<owned> of) {
  return std::make_shared<const shared_attributes>(made_here(), std::move(of));
}

shared_attributes::shared_attributes(made_here, std::vector<owned> of) : owned_(std::move(of)) {
  views_.reserve(owned_.size());
  for (const auto& [key, value] : owned_) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text != nullptr) {
      views_.push_back({key, std::string_view(*text)});
    } else {
      views_.push_back({key, std::get<std::int64_t>(value)});
    }
  }
}

tracing::tracing(trace_options options) : tracer_(std::make_shared<const trace::tracer>(std::move(options))) {
  if (!trace::install(tracer_)) throw usage_error("tracing: this program has one already");
}

tracing::~tracing() {
  trace::uninstall(*tracer_);
  tracer_->options().exporter->flush(tracer_->options().flush_timeout);
}

}  // namespace quarq
