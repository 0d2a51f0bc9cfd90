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

// Used by static initialisers, in any order, and until the program ends.
registry& registered() {
  static auto& only = *new registry;
  return only;
}

}  // namespace

void detail::register_process_function(std::string_view name, process_function_by_name run) {
  auto& known = registered();
  const std::lock_guard lock(known.mutex);
  known.by_name.insert_or_assign(std::string(name), std::move(run));
}

const detail::process_function_by_name* processes::find_named_function(std::string_view name) {
  auto& known = registered();
  const std::lock_guard lock(known.mutex);
  const auto found = known.by_name.find(name);
  return found == known.by_name.end() ? nullptr : &found->second;
}

}  // namespace quarq
