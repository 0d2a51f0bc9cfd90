// All that the two sides share: the names and the signatures of the work.
#pragma once

#include <string>

#include <quarq/task.hpp>

inline constexpr quarq::task<int(std::string text)> count_words{"count_words", "text"};
