#include "broker/redis/settings.hpp"

#include <string>

#include "redis/url.hpp"

namespace quarq::broker::redis {

redis_settings parse_url(std::string_view url) {
  redis_settings found;
  quarq::redis::url_dialect dialect;
  dialect.parameters = "dead_jobs, dead_days";
  dialect.parameter = [&found](const std::string& name, const std::string& value) {
    return found.dead.read(name, value);
  };
  found.connection = quarq::redis::parse_url(url, dialect);
  return found;
}

}  // namespace quarq::broker::redis
