// What jobs say of themselves, of both Redis layouts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::redis_common {

/// The arguments of keep_notes.lua.
std::vector<std::string> notes_args(const std::string& token, std::vector<job_note> notes);

/// What the jobs say of themselves, in the order of `ids`, of which there is one at least. `prefix`: of its keys.
awaitable<std::vector<std::string>> fetch_notes(quarq::redis::connection& over, std::string prefix,
                                                std::vector<std::string> ids);

/// Removes what those jobs have said of themselves whose ends, which are recorded, have it as well. `prefix`: of its
/// keys. Where that fails, it goes by itself in time.
awaitable<void> forget_notes(quarq::redis::connection& over, std::string prefix,
                             const std::vector<settlement>& batch, const std::vector<bool>& recorded);

}  // namespace quarq::broker::redis_common
