// What handlers of calls over HTTP say by their contexts.
#pragma once

#include <quarq/detail/notes_sink.hpp>

namespace quarq::rpc {

/// A call is no job, and has no page on which operators would look for it. So its lines go to the log of the server,
/// with the id of the call and of its trace; its progress does, too, where the log shows "debug".
quarq::detail::notes_sink& notes_in_log() noexcept;

}  // namespace quarq::rpc
