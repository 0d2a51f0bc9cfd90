// A call as the job that a broker is given: its options checked, its id made.
#pragma once

#include <quarq/detail/call_data.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

/// Throws usage_error that names the task, the option, its range and the value.
broker::new_job to_job(detail::call_data call);

}  // namespace quarq::clients
