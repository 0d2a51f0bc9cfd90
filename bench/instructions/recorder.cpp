#include "recorder.hpp"

#include <stdexcept>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name) static_cast<void>(name)
#endif

namespace quarq::bench::instructions {

void recorder::begin() {
  if (RUNNING_ON_VALGRIND == 0)
    throw std::runtime_error("this counts under callgrind only: ./dev instructions");
  CALLGRIND_ZERO_STATS;
}

void recorder::end(const std::string& path, std::size_t units) {
  CALLGRIND_DUMP_STATS_AT(path.c_str());
  units_[path] = units;
}

}  // namespace quarq::bench::instructions
