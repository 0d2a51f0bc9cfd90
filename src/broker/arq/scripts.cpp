#include "broker/arq/scripts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/redis_common/script_args.hpp"

namespace quarq::broker::arq {

arq_scripts::arq_scripts()
    : script_set({{"shared_basics", shared_basics_lua},
                  {"shared_ready", shared_ready_lua},
                  {"shared_ends", shared_ends_lua},
                  {"shared_held", shared_held_lua},
                  {"shared_python", shared_python_lua},
                  {"shared_aborts", shared_aborts_lua},
                  {"shared_details", shared_details_lua}}) {}

const arq_scripts& scripts() {
  static const arq_scripts only;
  return only;
}

std::string enqueue_terms(bool id_is_fresh, milliseconds payload_lives_for, double score) {
  return fmt::format("{}{} {}", id_is_fresh ? 'f' : 'g', payload_lives_for.count(), score);
}

std::string settle_terms(const settlement& one) {
  switch (one.kind) {
    case settlement::what::retry:
      return fmt::format("r{}", std::max<std::int64_t>(0, one.delay.count()));
    case settlement::what::hand_back:
      return fmt::format("h{}", std::max<std::int64_t>(0, one.delay.count()));
    case settlement::what::begin:
      return "b";
    case settlement::what::end:
      break;
  }
  // arq keeps failures for as long as all else.
  const auto keep = one.keep_asked_for ? one.keep_asked_for : one.keep;
  return fmt::format("e{}{}", static_cast<int>(one.state), redis_common::keep_number(keep));
}

std::string cancel_end(std::optional<milliseconds> keep, std::string_view result) {
  return std::to_string(redis_common::keep_number(keep)).append(" ").append(result);
}

}  // namespace quarq::broker::arq
