// Durations and types as text for logs and errors.
#pragma once

#include <chrono>
#include <string>
#include <typeinfo>

namespace quarq::base {

/// "480 us", "35 ms", "1.2 s", "5 min": two or three digits and a unit.
std::string human_duration(std::chrono::microseconds d);

/// The C++ name of a type, demangled.
std::string type_name(const std::type_info& type);

}  // namespace quarq::base
