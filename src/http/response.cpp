#include <quarq/http/response.hpp>

#include "http/client/dates.hpp"

namespace quarq::http {

std::optional<std::chrono::milliseconds> response::retry_after() const {
  return retry_after_of(headers["Retry-After"], std::chrono::system_clock::now());
}

}  // namespace quarq::http
