#include "workers/refused_end.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "codecs/utf8.hpp"
#include "model/effective_options.hpp"
#include "model/record.hpp"

namespace quarq::workers {
namespace {

constexpr std::size_t max_reason = 1'000;  // bytes

model::outcome facts_of(const broker::settlement& s) {
  model::outcome o;
  if (s.outcome.empty()) return o;
  try {
    o = model::decode_outcome(s.outcome);
  } catch (const decode_error&) {
    // It is replaced in any case.
  }
  o.result.clear();
  return o;
}

}  // namespace

std::optional<broker::settlement> short_end_for(const refused_end& refused) {
  const auto& from = refused.what;
  using what = broker::settlement::what;
  if (from.kind == what::hand_back || from.kind == what::begin) return std::nullopt;
  auto o = facts_of(from);
  o.error_type = "quarq::broker_error";
  o.error = fmt::format("the store refused the end of the job, {}: {}", to_string(from.state),
                        codecs::printable(refused.why, max_reason));
  broker::settlement s;
  s.id = from.id;
  s.state = job_state::failed;
  s.outcome = model::encode(o);
  const auto least = model::default_keep.duration();
  if (from.keep)
    s.keep = std::max(*from.keep, *least);
  else
    s.keep = std::nullopt;
  return s;
}

}  // namespace quarq::workers
