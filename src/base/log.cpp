#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace quarq::base {
namespace {

struct logger_of_quarq {
  std::shared_ptr<spdlog::logger> logger;
  bool is_ours = false;
};

bool set_level(spdlog::logger& logger, std::string_view word) {
  constexpr std::array known = {"trace", "debug", "info", "warn", "error", "off"};
  const auto found = std::find(known.begin(), known.end(), word);
  if (found == known.end()) return false;
  logger.set_level(spdlog::level::from_str(*found));
  return true;
}

const logger_of_quarq& the_logger() {
  static const logger_of_quarq only = [] {
    if (auto registered = spdlog::get("quarq")) return logger_of_quarq{registered, false};
    auto made = spdlog::stderr_color_mt("quarq");
    made->set_pattern(own_log_pattern);
    if (const char* level = std::getenv("QUARQ_LOG")) set_level(*made, level);
    return logger_of_quarq{made, true};
  }();
  return only;
}

}  // namespace

spdlog::logger& log() {
  return *the_logger().logger;
}

bool set_log_level(std::string_view word) {
  return set_level(log(), word);
}

void set_log_pattern(const char* pattern) {
  if (the_logger().is_ours) log().set_pattern(pattern);
}

void set_log_formatter(std::unique_ptr<spdlog::formatter> formatter) {
  if (the_logger().is_ours) log().set_formatter(std::move(formatter));
}

}  // namespace quarq::base
