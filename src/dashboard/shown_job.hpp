// Jobs as the pages show them, and the filters that look at what they show.
#pragma once

#include <string>
#include <vector>

#include <quarq/job_filter.hpp>
#include <quarq/job_info.hpp>

#include "broker/broker.hpp"
#include "clients/job_description.hpp"
#include "clients/job_filter.hpp"
#include "dashboard/redaction.hpp"
#include "dashboard/views.hpp"

namespace quarq::dashboard {

/// Throws usage_error for a state that there is not. `by` must outlive the filter.
clients::owned_filter filter_of(const job_query& query, const redaction& by);
/// The order in which pages show states: jobs under way first, then those that need attention, then those that are over.
std::vector<job_state> shown_order(job_states some);

/// A job as the pages show it: described, and redacted.
job_info shown_job(const std::string& queue, const broker::job_details& details, const redaction& by,
                   clients::notes said = clients::notes::decoded);
job_view view_of(const job_info& shown, const redaction& by);

}  // namespace quarq::dashboard
