// How many bytes may go at once, in either direction.
//
// Redis counts a connection with a subscription as a "pubsub" client, and closes it when 32 MB are on their way
// to it, or 8 MB for a minute (client-output-buffer-limit). So large payloads go over a connection of their
// own, which never subscribes and has no limit; it is opened when the first large payload comes. There it also
// holds up no renewal of a lease, however slow the network is.
#pragma once

#include <cstddef>

namespace quarq::broker::redis_common {

/// A record or an outcome that is larger than this goes over the connection for payloads, alone.
inline constexpr std::size_t max_shared_payload = std::size_t{256} << 10;
/// A reply or message on the connection with subscriptions takes no further payload when it has this much.
inline constexpr std::size_t max_reply = std::size_t{1} << 20;
/// The same on the connection for payloads.
inline constexpr std::size_t max_payload_reply = std::size_t{8} << 20;

/// No server takes a longer string (proto-max-bulk-len is 512 MB by default), and the record needs some room for
/// data stored with it.
inline constexpr std::size_t max_stored_payload = (std::size_t{512} << 20) - 4096;

}  // namespace quarq::broker::redis_common
