// Runs other programs, to compare their figures to ours.
#pragma once

#include <string>
#include <vector>

namespace quarq::bench {

/// What a program prints. Throws std::runtime_error if it fails.
std::string output_of(const std::vector<std::string>& command);

/// The same of a script in bench/, run by Debian's Python, whatever else is first on the PATH.
std::string output_of_python(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace quarq::bench
