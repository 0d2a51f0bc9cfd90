// sqlite:FILE[?synchronous=full|normal|off][&timeout=SECONDS]
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "broker/sqlite/writer_thread.hpp"

namespace quarq::broker::sqlite {

struct parsed_url {
  database_settings settings;
  std::optional<std::chrono::milliseconds> timeout;  ///< how long to wait for a locked file
};

/// Throws usage_error that names the part that is wrong.
parsed_url parse_url(std::string_view url);

}  // namespace quarq::broker::sqlite
