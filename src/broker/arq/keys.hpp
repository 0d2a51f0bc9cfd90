// arq's keys, and ours beside them.
#pragma once

#include <string>
#include <string_view>

namespace quarq::broker::arq {

inline constexpr std::string_view job_prefix = "arq:job:", result_prefix = "arq:result:",
                                  in_progress_prefix = "arq:in-progress:";

/// The set of the queues that quarq's clients and workers have used.
inline constexpr const char* all_queues = "arq:quarq:queues";

/// Throws usage_error for a text that can't be the key of a queue: one that is, or may be, another key of arq
/// or of ours.
void check_queue_key(std::string_view key);

/// With which all keys begin that we have beside arq's for the queue of this key: what scripts call P.
std::string own_prefix(std::string_view key);

/// The same for the key of a health record that is not health_key().
void check_health_key(std::string_view key);

/// Where arq's workers write the health record of a queue, unless told otherwise.
std::string health_key(std::string_view key);

}  // namespace quarq::broker::arq
