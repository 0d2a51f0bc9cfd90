// What the two sides share.
#pragma once

#include <string>

#include <quarq/task.hpp>

/// Asks for the other two, and returns a line about the picture.
inline constexpr quarq::task<std::string(std::string file)> make_thumbnail{"make_thumbnail", "file"};
/// Writes FILE.small, and returns its size: "40x30".
inline constexpr quarq::task<std::string(std::string file)> shrink{"shrink", "file"};
inline constexpr quarq::task<std::string(std::string file)> checksum{"checksum", "file"};
