// What QUARQ_DEBUG and debug_timer print, for tests.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include <quarq/debug.hpp>

namespace quarq::test {

/// Redirects it into a file until its end.
class debug_output {
 public:
  explicit debug_output(pretty_options format = {.width = 100}) : before_(get_debug_options()) {
    set_debug_options({.format = format, .file = ::fileno(file_)});
  }
  ~debug_output() {
    set_debug_options(before_);
    std::fclose(file_);
  }
  debug_output(const debug_output&) = delete;
  debug_output& operator=(const debug_output&) = delete;

  /// All of it so far.
  std::string text() const {
    std::string all(static_cast<std::size_t>(::lseek(::fileno(file_), 0, SEEK_END)), '\0');
    const auto size = ::pread(::fileno(file_), all.data(), all.size(), 0);
    return size < 0 ? "" : all;
  }
  /// Without the first line, which is the place.
  std::string values() const {
    const auto all = text();
    return all.substr(all.find('\n') + 1);
  }

 private:
  std::FILE* file_ = std::tmpfile();
  debug_options before_;
};

}  // namespace quarq::test
