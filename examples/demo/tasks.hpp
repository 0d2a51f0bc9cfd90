// What the demo's client and workers share.
#pragma once

#include <string>

#include <quarq/task.hpp>

inline constexpr quarq::task<int(std::string url)> count_words{"count_words", "url"};
