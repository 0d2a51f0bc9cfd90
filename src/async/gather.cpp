#include <memory>

#include <quarq/gather.hpp>
#include <quarq/task_group.hpp>

#include "async/scope.hpp"

namespace quarq::detail {

awaitable<void> run_all(std::vector<awaitable<void>> work) {
  std::function<void(scope&)> begin = [&work](scope& all) {
    for (auto& one : work) all.start(std::move(one));
  };
  const auto all = co_await scope::run(std::move(begin));
  all->throw_failure();
}

awaitable<void> run_all_to_their_ends(std::vector<awaitable<void>> work) {
  std::function<void(scope&)> begin = [&work](scope& all) {
    for (auto& one : work) all.start(std::move(one));
  };
  const auto all = co_await scope::run(std::move(begin));
  all->throw_failure();
  if (all->caller_cancelled()) throw_aborted();
}

}  // namespace quarq::detail
