#include "codecs/json.hpp"

#include <quarq/detail/http_json.hpp>
#include <quarq/errors.hpp>

namespace quarq::http::detail {

std::string json_of_msgpack(std::string_view msgpack) {
  return codecs::to_json(msgpack);
}

std::string msgpack_of_json(std::string_view json, std::string_view what) {
  try {
    return codecs::json_to_msgpack(json);
  } catch (const decode_error& e) {
    throw decode_error(std::string(what) + ": " + e.what());
  }
}

}  // namespace quarq::http::detail
