#include <memory>

#include <quarq/shield.hpp>

#include "async/scope.hpp"

namespace quarq::detail {

awaitable<void> run_shielded(awaitable<void> work) {
  std::function<void(async::scope&)> begin = [&work](async::scope& all) { all.start(std::move(work)); };
  const auto all = co_await async::scope::run(std::move(begin), async::scope::cancellation::blocked);
  all->throw_failure();
}

}  // namespace quarq::detail
