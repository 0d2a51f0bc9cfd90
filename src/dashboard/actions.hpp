// What operators change at the broker.
#pragma once

#include <string>

#include <quarq/awaitable.hpp>

#include "dashboard/reader.hpp"
#include "dashboard/views.hpp"

namespace quarq::dashboard {

/// All throw usage_error for an action that there is not, and broker_error.
awaitable<done_view> change_queue(reader& at, queue_request asked);
/// Throws job_not_found.
awaitable<done_view> change_job(reader& at, job_request asked);
/// Page by page, so that nobody waits long for it, however many there are.
awaitable<done_view> change_jobs(reader& at, bulk_request asked);
/// Pauses a cron job, resumes it, or enqueues a run of it beside those that are planned, whose id is the outcome.
awaitable<done_view> change_cron(reader& at, cron_request asked);

}  // namespace quarq::dashboard
