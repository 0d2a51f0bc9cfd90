// Scores and results, as they are stored.
#pragma once

#include <string>
#include <string_view>

#include "broker/arq/payload/payloads.hpp"
#include "broker/broker.hpp"

namespace quarq::broker::arq {

/// Anybody may have written it: what is no moment becomes the nearest one.
time_point moment_of_score(std::string_view score);

/// arq's result of a job that ends. `record`: what was to be done, or nothing where that is not known.
std::string write_result(arq_payloads& payloads, const settlement& end, std::string_view record,
                         std::string_view queue_key);

/// Of a result that can't be read: failed, with the reason.
ended read_result(arq_payloads& payloads, std::string_view payload);

}  // namespace quarq::broker::arq
