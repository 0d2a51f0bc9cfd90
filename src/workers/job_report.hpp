// What is said of a job: to the broker when it ends, to hooks, and to the log. Plain functions.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <quarq/worker.hpp>

#include "broker/broker.hpp"
#include "broker/worker_log_format.hpp"
#include "model/attempt.hpp"
#include "model/record.hpp"
#include "model/retry_decision.hpp"
#include "workers/cron_gate.hpp"
#include "workers/running_job.hpp"

namespace quarq::workers {

/// The facts of a job that has run for so long, without a result or an error.
model::outcome outcome_of(const running_job& job, std::string_view worker, std::chrono::microseconds ran);

/// What the broker is to do with a job after this attempt. `o`: its facts.
broker::settlement settlement_of(const running_job& job, const model::attempt& a, const model::decision& d,
                                 std::string result, model::outcome&& o);
/// The same for a cron job's run that ends without having run.
broker::settlement settlement_of(const running_job& job, const admission& ruled, model::outcome&& o);

job_end end_of(const model::attempt& a, const model::decision& d, std::chrono::microseconds ran);

/// Its views are those of the job.
broker::logged_job logged(const running_job& job, bool is_cron, std::chrono::microseconds ran);

/// The arguments as they are logged: those that hold a quarq::secret are hidden. Empty: all may be shown.
std::string without_secrets(const detail::handler& how, std::string_view arguments);
/// Likewise.
std::string_view printable_result(const running_job& job, std::string_view result);

}  // namespace quarq::workers
