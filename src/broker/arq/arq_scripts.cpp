#include "broker/arq/arq_scripts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/arq/embedded.hpp"
#include "broker/redis/embedded.hpp"
#include "broker/redis/redis_scripts.hpp"
#include "broker/redis/script_parts.hpp"

namespace quarq::broker::arq {

namespace {

std::string_view assembled(std::string_view script) {
  static const redis::script_parts parts = {
      {"shared_basics", shared_basics_lua},      {"shared_ready", shared_ready_lua},
      {"shared_ends", shared_ends_lua},          {"shared_held", shared_held_lua},
      {"shared_aborts", shared_aborts_lua},      {"shared_details", shared_details_lua},
      {"shared_calls", redis::shared_calls_lua}, {"shared_wake", redis::shared_wake_lua},
      {"shared_tell", redis::shared_tell_lua},
  };
  return redis::assemble(script, parts);
}

}  // namespace

arq_scripts::arq_scripts()
    : enqueue(assembled(enqueue_lua)),
      claim(assembled(claim_lua)),
      raise_starts(assembled(raise_starts_lua)),
      settle(assembled(settle_lua)),
      renew(assembled(renew_lua)),
      look(assembled(look_lua)),
      close_lease(assembled(close_lease_lua)),
      reconcile(assembled(reconcile_lua)),
      wait(assembled(wait_lua)),
      cancel(assembled(cancel_lua)),
      inspect(assembled(inspect_lua)),
      list(assembled(list_lua)),
      results(assembled(results_lua)),
      requeue(assembled(requeue_lua)),
      purge(assembled(purge_lua)),
      workers(assembled(workers_lua)),
      summary(assembled(summary_lua)) {}

std::vector<const quarq::redis::script*> arq_scripts::all() const {
  return {&enqueue, &claim,   &raise_starts, &settle,  &renew,   &look,  &close_lease, &reconcile, &wait,
          &cancel,  &inspect, &list,         &results, &requeue, &purge, &workers,     &summary};
}

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
      return "h";
    case settlement::what::end:
      break;
  }
  return fmt::format("e{}{}", static_cast<int>(one.state), redis::keep_number(one.keep));
}

std::string cancel_end(std::optional<milliseconds> keep, std::string_view result) {
  return std::to_string(redis::keep_number(keep)).append(" ").append(result);
}

}  // namespace quarq::broker::arq
