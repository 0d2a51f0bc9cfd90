// What renewing many leases costs the server.
#pragma once

#include "report.hpp"

namespace quarq::bench {

/// Group "leases (redis)": the share of a core that a private redis-server takes while 1,000 workers with ten
/// queues each renew their leases once a second, and do nothing else.
void measure_leases(report& out);

}  // namespace quarq::bench
