// The first that every header of quarq includes: says what is missing in a line, before a hundred others.
#pragma once

#if __cplusplus < 202002L
#error \
    "quarq needs C++20: compile with -std=c++20, or in CMake target_compile_features(NAME PRIVATE cxx_std_20)"
#endif
