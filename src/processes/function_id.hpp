// Functions of the program, named so that another process of the same program finds them: address spaces
// differ, but each function stands at the same distance from the beginning of its module (the program itself
// or a shared library).
#pragma once

#include <string>
#include <string_view>

namespace quarq::processes {

using any_function = void (*)();

/// As one msgpack value: module, its build id, the distance. Throws quarq::error if no module holds this
/// function.
std::string encode_function_id(any_function function);
/// The function at an encoded place. Throws quarq::error if its module is not loaded here, or is another
/// build, and decode_error.
any_function find_function(std::string_view encoded);

/// What tells builds of the program itself apart.
const std::string& program_build_id();

}  // namespace quarq::processes
