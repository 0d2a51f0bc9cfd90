// A process pool as an untyped_pool: what the library quarq::processes offers to quarq.
#pragma once

#include <memory>

#include "processes/untyped_pool.hpp"

namespace quarq::processes {

/// Throws quarq::error if this program can't have children. The pool's children are killed with it.
std::unique_ptr<untyped_pool> make_own_pool(process_pool_options options);

}  // namespace quarq::processes
