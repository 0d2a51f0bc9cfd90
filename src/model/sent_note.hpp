// What a handler in another process says of its job, on its way to the context of the one who called it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/context.hpp>

namespace quarq::model {

/// One msgpack value each, of less than 64 KiB. A line that is longer than jobs keep is cut.
std::vector<std::string> log_notes(std::string_view text);
std::string progress_note(std::uint64_t done, std::uint64_t total);

/// Says it again. Throws decode_error for what is no such note.
void pass_on(std::string_view note, const context& to);

}  // namespace quarq::model
