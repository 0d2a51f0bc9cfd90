#include <memory>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <quarq/task_group.hpp>

#include "async/scope.hpp"

namespace quarq {

namespace asio = boost::asio;

void task_group::spawn(awaitable<void> work) {
  scope_.start_later(std::move(work));
}

void task_group::cancel() {
  scope_.cancel();
}

std::size_t task_group::size() const noexcept {
  return scope_.size();
}

namespace detail {

void fail_body(task_group& group, const std::exception_ptr& failure) {
  group.scope_.fail(failure);
}

awaitable<void> run_group(std::function<awaitable<void>(task_group&)> body) {
  std::function<void(async::scope&)> begin = [&body](async::scope& all) {
    all.start_body(body(all.group()));
  };
  const auto all = co_await async::scope::run(std::move(begin));
  all->throw_failure();
}

void throw_aborted() {
  throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace detail
}  // namespace quarq
