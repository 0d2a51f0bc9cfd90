#include "trace/sampling.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "base/log.hpp"
#include "codecs/utf8.hpp"

namespace quarq::trace {
namespace {

constexpr std::uint64_t share_end = std::uint64_t{1} << 56;

struct sampler_name {
  std::string_view name;
  trace_sampling means;
  bool has_ratio = false;
};
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
constexpr sampler_name sampler_names[] = {
    {"always_on", {1, false}},
    {"always_off", {0, false}},
    {"traceidratio", {1, false}, true},
    {"parentbased_always_on", {1, true}},
    {"parentbased_always_off", {0, true}},
    {"parentbased_traceidratio", {1, true}, true},
};

std::optional<double> ratio_of(std::string_view text) {
  double ratio = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(ratio >= 0 && ratio <= 1)) return std::nullopt;
  return ratio;
}

std::string_view text_of(const char* value) noexcept {
  return value != nullptr ? std::string_view(value) : std::string_view();
}

}  // namespace

// FNV-1a, and the last step of MurmurHash3, by which each bit depends on all.
std::uint64_t number_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

bool is_in_share(std::uint64_t id_end, double ratio) noexcept {
  if (ratio >= 1) return true;
  if (ratio <= 0) return false;
  const auto threshold =
      static_cast<std::uint64_t>(std::llround((1 - ratio) * static_cast<double>(share_end)));
  return (id_end & (share_end - 1)) >= threshold;
}

trace_sampling sampling_from(const std::function<const char*(const char*)>& variable,
                             const std::function<void(const std::string&)>& warn) {
  const auto name = text_of(variable("OTEL_TRACES_SAMPLER"));
  if (name.empty()) return {1, true};
  for (const auto& known : sampler_names) {
    if (name != known.name) continue;
    auto found = known.means;
    const auto argument = text_of(variable("OTEL_TRACES_SAMPLER_ARG"));
    if (!known.has_ratio || argument.empty()) return found;
    const auto ratio = ratio_of(argument);
    if (!ratio) {
      warn(fmt::format("OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, got \"{}\": all is recorded",
                       codecs::printable(argument, 40)));
    }
    found.ratio = ratio.value_or(1);
    return found;
  }
  warn(
      fmt::format("OTEL_TRACES_SAMPLER: \"{}\" is not known here: it counts as parentbased_always_on (known "
                  "are always_on, "
                  "always_off, traceidratio and the same with parentbased_ before)",
                  codecs::printable(name, 40)));
  return {1, true};
}

}  // namespace quarq::trace

namespace quarq {

trace_sampling trace_sampling::from_environment() {
  return trace::sampling_from([](const char* name) -> const char* { return std::getenv(name); },
                              [](const std::string& line) { base::log().warn("{}", line); });
}

}  // namespace quarq
