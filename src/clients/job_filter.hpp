// The jobs that a quarq::job_filter means, found page by page.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/job_filter.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

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
  /// `page`: how many are looked at in one step, max_page at most.
  matching_jobs(std::shared_ptr<broker::broker> store, std::string queue, owned_filter which,
                std::size_t page = broker::max_page);

  /// Those of the next page, which may be none; nullopt after the last page. A job that moves meanwhile may come
  /// twice.
  awaitable<std::optional<std::vector<broker::job_details>>> next();

 private:
  const std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  const owned_filter which_;
  const std::size_t page_;
  std::vector<job_state> states_;  // that are left, the next one at the end
  std::string from_;
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
