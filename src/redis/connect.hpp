// Connecting to one of the addresses that a name has.
#pragma once

#include <chrono>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <quarq/awaitable.hpp>

namespace quarq::redis {

using stream_socket = boost::asio::generic::stream_protocol::socket;

/// Opens a socket for this address that programs started by this process do not inherit.
void open_for(stream_socket& s, const boost::asio::generic::stream_protocol::endpoint& where);

/// Connects to the first address that answers. All but the last get `limit` each, so that one that swallows
/// everything holds up the others little. Throws the error of the last. `s` may be closed meanwhile.
awaitable<void> connect_to_any(stream_socket& s, std::vector<boost::asio::ip::tcp::endpoint> addresses,
                               std::chrono::milliseconds limit = std::chrono::seconds(1));

}  // namespace quarq::redis
