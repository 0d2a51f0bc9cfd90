// Scores and results, as they are stored.
#pragma once

#include <string>
#include <string_view>

#include "broker/arq/payload/payloads.hpp"
#include "broker/broker.hpp"

namespace quarq::broker::arq {

/// Anybody may have written it: a number out of range becomes the nearest moment.
time_point moment_of_score(std::string_view score);

/// The call, as arq's result repeats it. Both are empty where that is not known.
struct known_job {
  std::string record;
  std::string given;  ///< arq_job_in::given; if there is one, the record is empty
};

/// arq's result of a job that ends.
std::string write_result(arq_payloads& payloads, const settlement& end, const known_job& job,
                         std::string_view queue_key);

/// Of a result that can't be read: failed, with the reason.
ended read_result(arq_payloads& payloads, std::string_view payload);

}  // namespace quarq::broker::arq
