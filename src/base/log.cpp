#include "base/log.hpp"

#include <array>
#include <cstdlib>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace quarq::base {

spdlog::logger& log() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    if (auto registered = spdlog::get("quarq")) return registered;
    auto made = spdlog::stderr_color_mt("quarq");
    made->set_pattern("%H:%M:%S.%e %^%-5l%$ %v");
    if (const char* level = std::getenv("QUARQ_LOG")) made->set_level(spdlog::level::from_str(level));
    return made;
  }();
  return *logger;
}

bool set_log_level(std::string_view word) {
  constexpr std::array known = {"trace", "debug", "info", "warn", "error", "off"};
  for (const auto* name : known) {
    if (word != name) continue;
    log().set_level(spdlog::level::from_str(name));
    return true;
  }
  return false;
}

}  // namespace quarq::base
