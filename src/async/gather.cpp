#include <memory>

#include <quarq/gather.hpp>
#include <quarq/task_group.hpp>

#include "async/scope.hpp"

namespace quarq::detail {

awaitable<void> run_all(std::vector<awaitable<void>> work) {
  std::function<void(async::scope&)> begin = [&work](async::scope& all) {
    for (auto& one : work) all.start(std::move(one));
  };
  const auto all = co_await async::scope::run(std::move(begin));
  all->throw_failure();
}

awaitable<void> run_all_to_their_ends(std::vector<awaitable<void>> work) {
  std::function<void(async::scope&)> begin = [&work](async::scope& all) {
    for (auto& one : work) all.start(std::move(one));
  };
  const auto all = co_await async::scope::run(std::move(begin));
  all->throw_failure();
  if (all->parent_cancelled()) throw_aborted();
}

}  // namespace quarq::detail
