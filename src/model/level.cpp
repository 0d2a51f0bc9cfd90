#include <quarq/level.hpp>

namespace quarq {

std::string_view to_string(level where) noexcept {
  switch (where) {
    case level::loop:
      return "loop";
    case level::thread:
      return "thread";
    case level::process:
      return "process";
  }
  return "?";
}

}  // namespace quarq
