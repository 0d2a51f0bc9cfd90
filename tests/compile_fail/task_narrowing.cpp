// expect: an argument does not fit the signature of its task
#include <quarq/task.hpp>

inline constexpr quarq::task<void(int n, bool loud, double x)> wait_for{"wait_for"};

void compiles() {
  auto right = wait_for(1, true, 2);
}

#ifdef MUST_FAIL
void must_not() {
  auto cut = wait_for(1.5, true, 2.0);
  auto pointer = wait_for(1, "true", 2.0);
}
#endif
