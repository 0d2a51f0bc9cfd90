// A program that tests start must not outlive its test, however that ends.
#pragma once

#include <cstdlib>
#include <string>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace quarq::test {

/// Called first in main(). Also: crashes on purpose leave no core file.
inline void die_with_parent() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const char* parent = std::getenv("QUARQ_TEST_PARENT");
  // It may have ended before the line above.
  if (parent != nullptr && std::to_string(getppid()) != parent) _exit(1);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace quarq::test
