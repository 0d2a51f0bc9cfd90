// Lua scripts put together from files.
#pragma once

#include <map>
#include <string_view>

namespace quarq::broker::redis {

/// The texts that scripts share, by name.
using script_parts = std::map<std::string_view, std::string_view>;

/// The script with the parts that it names in lines "-- needs: NAME NAME" pasted after each such line. Lives
/// as long as the process, as a redis::script only views its text. Throws std::out_of_range for an unknown
/// name.
std::string_view assemble(std::string_view script, const script_parts& parts);

}  // namespace quarq::broker::redis
