// Which broker a URL means.
#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "broker/broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"

namespace quarq::broker {

std::shared_ptr<broker> open(std::string_view url, boost::asio::any_io_executor loop, open_options options) {
  const auto scheme = url.substr(0, url.find(':'));
  if (scheme == "sqlite") return sqlite::open_sqlite(url, std::move(loop), options);
  // What follows the scheme may hold a password.
  throw invalid_argument(
      fmt::format("\"{}:\" is not a broker that is known: use sqlite:FILE or sqlite::memory:", scheme));
}

}  // namespace quarq::broker
