// arq's payloads, written in either codec.
#pragma once

#include <optional>
#include <string>

#include "broker/arq/payload/errors.hpp"
#include "broker/arq/payload/fields.hpp"
#include "broker/arq/payload/payloads.hpp"

namespace quarq::broker::arq {

/// Both throw decode_error, naming the value, for values that the codec can't hold.
std::string write_job_as(arq_codec codec, const arq_job& job, const record_fields& parts,
                         const fields& others);
/// `error` takes the result's place; nothing if the job succeeded.
std::string write_end_as(arq_codec codec, const arq_end& end, const record_fields& job,
                         const end_fields& parts, const fields& others,
                         const std::optional<python_error>& error);

}  // namespace quarq::broker::arq
