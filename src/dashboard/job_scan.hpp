// Jobs of one queue that meet a query, found page by page, with a limit to how many are looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>
#include <quarq/job_filter.hpp>
#include <quarq/job_info.hpp>

#include "broker/broker.hpp"
#include "dashboard/redaction.hpp"
#include "dashboard/views.hpp"

namespace quarq::dashboard {

/// A query that has been read.
class job_match {
 public:
  /// Throws usage_error for a state that there is not.
  explicit job_match(const job_query& query);

  job_states states() const noexcept { return states_; }
  /// Whether the state is all that it asks for.
  bool is_of_state_only() const noexcept { return is_of_state_only_; }
  /// Besides the state. `shown`: redacted, so that nobody finds out by searching what is not shown.
  bool wants(const job_info& shown) const;

 private:
  job_query query_;
  job_states states_;
  bool is_of_state_only_;
};

/// A job as the pages show it: described, and redacted.
job_info shown_job(const std::string& queue, const broker::job_details& details, const redaction& by);
job_view view_of(const job_info& shown, const redaction& by);

/// Belongs to the broker's loop.
class job_scan {
 public:
  struct found {
    broker::job_details details;
    job_info shown;
  };

  /// `from`: "" or what next_place() was. Throws usage_error for anything else.
  job_scan(std::shared_ptr<broker::broker> store, std::string queue, const job_match& which,
           const redaction& by, std::string_view from = {});

  /// Whether all have been looked at.
  bool is_over() const noexcept { return states_.empty(); }
  /// Those of the next page of `page` jobs. A job that moves meanwhile may come twice.
  awaitable<std::vector<found>> next(std::size_t page);

  /// For another scan to go on; "" if this one is over.
  std::string next_place() const;
  /// By this scan and those before it.
  std::uint64_t looked_at() const noexcept { return looked_at_; }

 private:
  const std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  const job_match& which_;
  const redaction& by_;
  std::vector<job_state> states_;  // that are left, the next one at the end
  std::string from_;
  std::uint64_t looked_at_ = 0;
};

}  // namespace quarq::dashboard
