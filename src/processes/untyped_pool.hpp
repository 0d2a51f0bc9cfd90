// Untyped calls to a process pool, for code that is linked with or without the library quarq::processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/awaitable.hpp>
#include <quarq/detail/process_target.hpp>
#include <quarq/process_pool.hpp>

namespace quarq::processes {

/// A process_pool without types.
class untyped_pool {
 public:
  virtual ~untyped_pool() = default;
  virtual std::size_t size() const noexcept = 0;
  using note_listener = std::function<void(std::string_view note)>;

  /// `arguments` is a msgpack array, the result a msgpack value; `facts` and `on_note` as in
  /// detail::process_exchange. Throws as process_pool::run does.
  virtual awaitable<std::string> run(detail::process_target target, std::string arguments,
                                     std::optional<std::uint64_t> memory_limit, std::string facts,
                                     note_listener on_note) = 0;
};

using pool_maker = std::unique_ptr<untyped_pool> (*)(process_pool_options);
/// For a static initialiser of the library quarq::processes: a program that is linked with it can make pools.
void set_pool_maker(pool_maker maker) noexcept;

/// Throws quarq::error, naming the library, if the program is not linked with quarq::processes. `what` needs
/// it.
void require_processes(const std::string& what);
/// Throws quarq::error as well if the program can't have children.
std::unique_ptr<untyped_pool> make_untyped_pool(process_pool_options options);

}  // namespace quarq::processes
