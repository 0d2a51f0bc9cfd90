// Part of the library quarq itself: everything else in this folder is in quarq::processes.
#include "processes/untyped_pool.hpp"

#include <utility>

#include <quarq/errors.hpp>

namespace quarq::processes {

namespace {

constinit pool_maker maker_of_this_program = nullptr;

}  // namespace

void set_pool_maker(pool_maker maker) noexcept {
  maker_of_this_program = maker;
}

void require_processes(const std::string& what) {
  if (maker_of_this_program != nullptr) return;
  throw error(what +
              " needs the library quarq::processes, with which this program is not linked (CMake: "
              "target_link_libraries(... quarq::processes), pkg-config: quarq-processes)");
}

std::unique_ptr<untyped_pool> make_untyped_pool(process_pool_options options) {
  require_processes("a process pool");
  return maker_of_this_program(std::move(options));
}

}  // namespace quarq::processes
