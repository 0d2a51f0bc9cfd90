#include "workers/metrics_endpoint.hpp"

#include <utility>

#include <quarq/errors.hpp>

namespace quarq::workers {

namespace {

constinit endpoint_maker endpoints_of_this_program = nullptr;

}  // namespace

void set_endpoint_maker(endpoint_maker maker) noexcept {
  endpoints_of_this_program = maker;
}

std::unique_ptr<metrics_endpoint> make_endpoint(const std::string& address, observed_worker of) {
  if (endpoints_of_this_program == nullptr) {
    throw usage_error(
        "option metrics: it needs the library quarq::metrics, with which this program is not linked (CMake: "
        "target_link_libraries(... quarq::metrics), pkg-config: quarq-metrics)");
  }
  return endpoints_of_this_program(address, std::move(of));
}

}  // namespace quarq::workers
