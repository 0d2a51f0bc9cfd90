// Where a broker is, as traces say it.
#pragma once

#include <string_view>

#include "trace/messaging.hpp"

namespace quarq::broker {

/// The host and port of a URL; none for a file, for a socket of this machine, and for what sentinels will
/// say. Throws as check_url() does.
trace::broker_address place_of(std::string_view url);

}  // namespace quarq::broker
