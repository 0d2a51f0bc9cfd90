#include <fmt/format.h>

#include <quarq/detail/handler.hpp>
#include <quarq/errors.hpp>
#include <quarq/handler.hpp>

namespace quarq {

void detail::check_options(std::string_view task, const handler_options& options) {
  if (!options.memory_limit || options.on == level::process) return;
  throw usage_error(fmt::format(
      "task \"{}\": option memory_limit: it limits a process of its own, which needs on = level::process",
      task));
}

}  // namespace quarq
