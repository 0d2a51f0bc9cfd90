// arq's payloads, written in either codec.
#pragma once

#include <optional>
#include <string>

#include "broker/arq/arq_errors.hpp"
#include "broker/arq/arq_parts.hpp"
#include "broker/arq/arq_payload.hpp"

namespace quarq::broker {

/// Both throw decode_error, naming the value, for what the codec can't hold.
std::string write_job_as(arq_codec codec, const arq_job& job, const record_parts& parts,
                         const fields& others);
/// `error` is what stands for the result; nothing if the job succeeded.
std::string write_end_as(arq_codec codec, const arq_end& end, const record_parts& job, const end_parts& parts,
                         const fields& others, const std::optional<python_error>& error);

}  // namespace quarq::broker
