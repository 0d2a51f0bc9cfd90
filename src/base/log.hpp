// One logger for all of quarq, named "quarq", to stderr.
#pragma once

#include <memory>
#include <string_view>

#include <spdlog/logger.h>

namespace quarq::base {

/// "12:30:01.123 info  started ...".
inline constexpr const char* own_log_pattern = "%H:%M:%S.%e %^%-5l%$ %v";

/// The logger: the program's own if it has registered one named "quarq" with spdlog, else one that writes
/// own_log_pattern to stderr, coloured on a terminal, from the level that the environment variable QUARQ_LOG
/// names (info). Thread-safe.
spdlog::logger& log();

/// "trace", "debug", "info", "warn", "error" or "off"; false for any other word.
bool set_log_level(std::string_view word);

/// Sets the format of later lines, as an spdlog pattern. Does nothing where the program has registered a logger of
/// its own.
void set_log_pattern(const char* pattern);
void set_log_formatter(std::unique_ptr<spdlog::formatter> formatter);

}  // namespace quarq::base
