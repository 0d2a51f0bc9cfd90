// The addresses that a name has.
#pragma once

#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace quarq::base {

/// The same addresses, so that IPv6 and IPv4 take turns, beginning with the kind of the first: where one of
/// them leads nowhere, the other is tried next.
std::vector<boost::asio::ip::tcp::endpoint> in_turns(std::vector<boost::asio::ip::tcp::endpoint> addresses);

}  // namespace quarq::base
