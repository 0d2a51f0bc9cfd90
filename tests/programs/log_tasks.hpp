// What log_worker knows.
#pragma once

#include <string>

#include <quarq/task.hpp>

namespace quarq::test {

/// As python_payload() calls it. 42.
inline constexpr task<int(int, std::string, bool)> the_task{"the_task", "n", "x", "a"};
inline constexpr task<std::string(std::string)> echo{"echo", "text"};
/// Throws std::invalid_argument with this message. One try.
inline constexpr task<void(std::string)> fail{"fail", "message"};
/// Asks to be tried again, twice.
inline constexpr task<int()> come_again{"come_again"};
/// Throws std::runtime_error in its first try.
inline constexpr task<int()> stumble{"stumble"};
/// Until it is stopped.
inline constexpr task<void()> wait_long{"wait_long"};
/// Which it does not know.
inline constexpr task<void()> nobodys{"nobodys"};

}  // namespace quarq::test
