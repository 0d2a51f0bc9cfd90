// What the dashboard reads at the broker. Belongs to one loop.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/job_filter.hpp>
#include <quarq/semaphore.hpp>

#include "broker/broker.hpp"
#include "dashboard/redaction.hpp"
#include "dashboard/views.hpp"

namespace quarq::dashboard {

class reader {
 public:
  using steady = std::chrono::steady_clock;

  /// However many look, the broker is asked no more often than this for the overview, and for what costs a question for
  /// each queue.
  static constexpr std::chrono::milliseconds overview_age{1'000};
  static constexpr std::chrono::milliseconds details_age{3'000};
  /// How many jobs one request looks at, in pages of broker::max_page.
  static constexpr std::size_t max_looked_at = 5'000;
  static constexpr std::chrono::milliseconds max_scan_time{80};

  reader(std::shared_ptr<broker::broker> store, redaction by);

  broker::broker& store() noexcept { return *store_; }
  const std::shared_ptr<broker::broker>& shared_store() const noexcept { return store_; }
  const redaction& redacted_by() const noexcept { return by_; }

  /// What was read before is not to be shown any more: something has been changed.
  void forget_overview() noexcept { refreshed_ = {}; }
  /// Not older than overview_age. Does not throw broker_error: `trouble` says what it was.
  awaitable<overview_view> overview();
  /// Some jobs; where few match, fewer than `limit`, or none.
  awaitable<jobs_view> jobs(std::string queue, job_query query, std::string from, std::size_t limit);
  awaitable<count_view> count(std::string queue, job_query query, std::string from);
  awaitable<std::optional<job_view>> job(std::string queue, std::string id);
  /// Dead and failed jobs, by task and error, the most frequent ones first.
  awaitable<errors_view> errors(std::string queue);
  /// Of this queue, or of all if it is empty: the last minutes, up to now.
  awaitable<stats_view> stats(std::string queue, std::chrono::minutes last);
  awaitable<std::vector<worker_view>> workers();
  awaitable<std::vector<cron_view>> crons();

 private:
  struct queue_details {
    steady::time_point asked{};
    std::optional<unix_ms> oldest;
    std::string unserved;
  };
  awaitable<void> refresh();
  awaitable<void> look_closer(broker::queue_summary queue);
  void count_done(const std::vector<broker::worker_summary>& those);
  awaitable<std::vector<broker::queue_summary>> summaries();
  awaitable<std::optional<std::uint64_t>> total_of(std::string queue, job_states states);

  const std::shared_ptr<broker::broker> store_;
  const redaction by_;
  semaphore one_refreshes_{1};
  steady::time_point refreshed_{};
  overview_view overview_;
  std::map<std::string, queue_details> details_;
  std::map<std::string, std::uint64_t> done_by_;  // each worker's own count, by its token
};

/// Under which errors are counted together: how "message" begins, up to the first digit or quote.
std::string error_group(std::string_view message);

}  // namespace quarq::dashboard
