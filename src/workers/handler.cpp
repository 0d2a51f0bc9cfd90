#include <fmt/format.h>

#include <quarq/detail/handler.hpp>
#include <quarq/errors.hpp>
#include <quarq/handler.hpp>
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

void detail::check_options(std::string_view task, const handler_options& options) {
  if (!options.memory_limit || options.on == level::process) return;
  throw usage_error(fmt::format(
      "task \"{}\": option memory_limit: it limits a process of its own, which needs on = level::process",
      task));
}

}  // namespace quarq
