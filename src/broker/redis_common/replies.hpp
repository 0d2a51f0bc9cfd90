// Readers for the replies of scripts.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/broker.hpp"
#include "redis/resp.hpp"

namespace quarq::broker::redis_common {

/// Throws broker_error where there are fewer: replies with too few items read as damaged.
const quarq::redis::reply& item(const quarq::redis::reply& reply, std::size_t i);

/// A number that Redis gave as text, or the one with which a text begins; 0 for anything else.
std::int64_t whole_number(std::string_view text);
/// The same of an answer, which may be an integer too.
std::int64_t whole_number(const quarq::redis::reply& reply);

/// Of cancel.lua.
cancel_result read_cancel_result(const quarq::redis::reply& reply);

/// Of workers.lua: {token, worker_info, jobs, ms until the lease ends} of each.
std::vector<worker_summary> read_workers(const quarq::redis::reply& reply);

/// How a state is written in Redis.
char state_digit(job_state state);
/// Throws broker_error for anything but the digit of a state.
job_state state_of_digit(char digit);

}  // namespace quarq::broker::redis_common
