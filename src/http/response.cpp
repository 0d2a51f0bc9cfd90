#include <quarq/errors.hpp>
#include <quarq/http/response.hpp>

#include "codecs/json.hpp"
#include "http/client/dates.hpp"

namespace quarq::http {

std::string detail::msgpack_of_json(std::string_view json, std::string_view what) {
  try {
    return codecs::json_to_msgpack(json);
  } catch (const decode_error& e) {
    throw decode_error(std::string(what) + ": " + e.what());
  }
}

std::optional<std::chrono::milliseconds> response::retry_after() const {
  return retry_after_of(headers["Retry-After"], std::chrono::system_clock::now());
}

}  // namespace quarq::http
