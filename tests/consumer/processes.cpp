// Uses nothing of the installed library but its processes. Says "processes: ok" and ends with 0.
#include <cstdio>
#include <exception>

#include <unistd.h>

#include <quarq/process_pool.hpp>
#include <quarq/run.hpp>

int pid_of_child() {
  return getpid();
}

int main() {
  try {
    quarq::process_pool pool;
    if (quarq::run(pool.run(pid_of_child)) == getpid()) {
      std::puts("processes: it ran in this process");
      return 1;
    }
  } catch (const std::exception& e) {
    std::printf("processes: %s\n", e.what());
    return 1;
  }
  std::puts("processes: ok");
}
