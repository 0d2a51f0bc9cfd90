// So that no process of the demo outlives it, whatever becomes of the demo.
#pragma once

#include <csignal>
#include <cstdlib>

#include <sys/prctl.h>
#include <unistd.h>

/// First thing in the main() of a program that the demo starts. Does nothing when a person has started it.
inline void end_with_parent() {
  const char* parent = std::getenv("QUARQ_DEMO_PARENT");
  if (parent == nullptr) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before it was heeded.
  if (::getppid() != std::atoi(parent)) std::_Exit(1);
}
