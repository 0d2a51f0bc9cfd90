// The files of the front end, which the build makes of web/ (cmake/embed_web_files.cmake).
#pragma once

#include <span>
#include <string_view>

namespace quarq::dashboard {

struct web_file {
  std::string_view name;  ///< without a folder: "main.js"
  std::string_view gzipped;
};

std::span<const web_file> web_files() noexcept;
/// Changes with any of them: it is a part of their URLs.
std::string_view web_version() noexcept;

}  // namespace quarq::dashboard
