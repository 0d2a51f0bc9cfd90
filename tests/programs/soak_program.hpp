// What the clients and operators of a soak have in common: they go on until SIGTERM, and note what they see in the
// journal that QUARQ_SOAK_JOURNAL names.
#pragma once

#include <csignal>
#include <cstdlib>
#include <exception>

#include <fmt/format.h>

#include <quarq/run.hpp>

#include "soak/journal.hpp"

namespace quarq::soak {

inline volatile std::sig_atomic_t asked_to_stop = 0;

/// Runs the coroutine that `work` makes of the journal. Returns the program's exit code; prints what is thrown.
template <class F>
int run_with_journal(const char* program, F work) {
  const char* path = std::getenv("QUARQ_SOAK_JOURNAL");
  if (path == nullptr) return 2;
  std::signal(SIGTERM, [](int) { asked_to_stop = 1; });
  try {
    journal_writer journal(path);
    quarq::run(work(journal));
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", program, e.what());
    return 1;
  }
  return 0;
}

}  // namespace quarq::soak
