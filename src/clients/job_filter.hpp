// The jobs that a quarq::job_filter means, found page by page.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/job_filter.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

/// By which ages of jobs are judged.
broker::time_point machine_time();

/// A filter that owns what it says.
struct owned_filter {
  owned_filter() = default;
  explicit owned_filter(const job_filter& said);
  /// And limited to states.
  owned_filter(const job_filter& said, job_states possible, const char* call) : owned_filter(said) {
    limit_to(possible, call);
  }

  /// Where the filter names no state, it means those that are `possible`. Throws usage_error, which begins with `call`,
  /// for one that is not.
  void limit_to(job_states possible, const char* call);

  job_states states;
  std::string task, error, id_prefix, error_type, text, tag;
  std::optional<std::chrono::milliseconds> older_than;
  std::optional<broker::time_point> enqueued_from, enqueued_until;
  /// Arguments, as JSON, as they are shown: `text` is looked for there, so that nobody finds out by searching what is not
  /// shown. Empty: as they are.
  std::function<std::string(std::string_view)> shown;

  /// Besides the state. What can't be read of a job is empty.
  bool wants(const broker::job_details& job, broker::time_point now) const;
  /// "queued and deferred jobs of task mail that are older than 1 h".
  std::string in_words() const { return in_words(states) + " jobs" + besides_states(); }
  /// " of task mail that are older than 1 h"; empty if the state is all that is asked for.
  std::string besides_states() const;
  /// "queued, deferred and running".
  static std::string in_words(job_states some);

 private:
  bool wants_end(const broker::job_details& job, std::string_view task_of_record,
                 broker::time_point now) const;
};

/// Whose jobs can be cancelled.
inline constexpr job_states open_states = job_state::queued | job_state::deferred | job_state::running;
/// And purged.
inline constexpr job_states purgeable_states = job_state::queued | job_state::deferred |
                                               job_state::succeeded | job_state::failed |
                                               job_state::cancelled | job_state::expired | job_state::dead;
inline constexpr job_states all_job_states = purgeable_states | job_state::running;

/// States in the order in which they are looked through, that in which jobs go through them: what moves on meanwhile is met
/// in a later one.
std::vector<job_state> in_order(job_states some);

/// For one loop, as the broker.
class matching_jobs {
 public:
  matching_jobs(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which);
  /// `states`: those of the filter, in the order in which they are looked through.
  matching_jobs(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which,
                std::vector<job_state> states);

  bool is_over() const noexcept { return states_.empty(); }
  /// Those of the next page, which may be none. Where more than `wanted` are there, the page ends with the last one that
  /// is wanted; where jobs move meanwhile, perhaps a few more come, or one comes twice. REQUIRES: !is_over().
  awaitable<std::vector<broker::job_details>> next(
      std::size_t wanted = std::numeric_limits<std::size_t>::max());
  /// How many were looked at.
  std::uint64_t looked_at() const noexcept { return looked_at_; }

  /// Where it has come to: in this state, and behind what the broker calls that place. REQUIRES: !is_over().
  job_state state() const noexcept { return states_.back(); }
  const std::string& place() const noexcept { return from_; }
  /// To where another search had come. False: it does not go through that state.
  bool go_on_at(job_state state, std::string place);

 private:
  struct page;
  awaitable<page> page_of(std::size_t max);

  const std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  const owned_filter which_;
  const bool filters_;             // by more than the state
  std::vector<job_state> states_;  // that are left, the next one at the end
  std::string from_;
  std::uint64_t looked_at_ = 0;
};

awaitable<cancelled_jobs> cancel_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                          owned_filter which);
/// Of dead jobs. One that dies again meanwhile is not sent again.
awaitable<std::size_t> requeue_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                        owned_filter which);
/// Of jobs that do not run.
awaitable<std::size_t> purge_matching(std::shared_ptr<broker::broker> store, std::string queue,
                                      owned_filter which);

}  // namespace quarq::clients
