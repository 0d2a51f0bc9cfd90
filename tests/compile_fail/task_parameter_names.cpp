// expect: no matching function for call to
// only: g++ before 12.3
#include <quarq/task.hpp>

inline constexpr quarq::task<void(int n, int m)> unnamed{"unnamed"};
inline constexpr quarq::task<void(int n, int m)> named{"named", "n", "m"};

#ifdef MUST_FAIL
inline constexpr quarq::task<void(int n, int m)> half_named{"half_named", "n"};
#endif
