#include "processes/named_functions.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace quarq {

namespace {

struct registry {
  std::mutex mutex;
  std::map<std::string, detail::process_function_by_name, std::less<>> by_name;
};

// Used by static initialisers, in whatever order they come, and until the very end.
registry& handlers() {
  static auto& only = *new registry;
  return only;
}

}  // namespace

void detail::register_process_handler(std::string_view task, process_function_by_name run) {
  auto& known = handlers();
  const std::lock_guard lock(known.mutex);
  known.by_name.insert_or_assign(std::string(task), std::move(run));
}

const detail::process_function_by_name* processes::find_handler(std::string_view task) {
  auto& known = handlers();
  const std::lock_guard lock(known.mutex);
  const auto found = known.by_name.find(task);
  return found == known.by_name.end() ? nullptr : &found->second;
}

}  // namespace quarq
