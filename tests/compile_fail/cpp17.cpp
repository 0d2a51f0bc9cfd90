// expect: quarq needs C++20: compile with -std=c++20
// standard: 17
//
// A program that is compiled as C++17: pkg-config does not say which C++ a library needs.
#ifdef MUST_FAIL
#include <quarq/quarq.hpp>
#endif
