#include <memory>

#include <quarq/shield.hpp>

#include "async/scope.hpp"

namespace quarq::detail {

awaitable<void> run_shielded(awaitable<void> work) {
  std::function<void(scope&)> begin = [&work](scope& all) { all.start(std::move(work)); };
  const auto all = co_await scope::run(std::move(begin), scope::caller::may_not);
  all->throw_failure();
}

}  // namespace quarq::detail
