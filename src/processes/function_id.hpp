// Functions of the program, identified so that another process of the same program finds them: addresses
// differ, but each function has the same offset in its module (the program itself or a shared library).
#pragma once

#include <string>
#include <string_view>

namespace quarq::processes {

using any_function = void (*)();

/// One msgpack value: module, its build id, the offset. Throws quarq::error if no module contains this
/// function.
std::string encode_function_id(any_function function);
/// The function with this encoded id. Throws quarq::error if its module is not loaded here, or is another
/// build, and decode_error.
any_function find_function(std::string_view encoded);

/// The build id of the program itself.
const std::string& program_build_id();

}  // namespace quarq::processes
