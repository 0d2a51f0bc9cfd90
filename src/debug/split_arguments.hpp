// The expressions of QUARQ_DEBUG(...), which the macro gets as one text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace quarq::debug {

/// The `count` expressions in "a, f(b, c), std::pair<int, int>(1, 2)". Commas in brackets, strings and
/// characters do not separate. Whether "<" is a bracket can't be known from the text alone (in "a < b, c > d"
/// it is not), but how many there must be tells most of it. Empty if they can't be told apart.
std::vector<std::string_view> split_arguments(std::string_view text, std::size_t count);

}  // namespace quarq::debug
