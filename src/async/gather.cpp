#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <quarq/gather.hpp>

namespace quarq::detail {

namespace asio = boost::asio;

awaitable<void> run_all(std::vector<awaitable<void>> work) {
  // A parallel group of nothing never completes.
  if (work.empty()) co_return;
  const auto loop = co_await asio::this_coro::executor;
  using spawned = decltype(asio::co_spawn(loop, std::move(work[0]), asio::deferred));
  std::vector<spawned> all;
  all.reserve(work.size());
  for (auto& one : work) all.push_back(asio::co_spawn(loop, std::move(one), asio::deferred));
  auto group = asio::experimental::make_parallel_group(std::move(all));
  auto [order, failures] =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  for (const auto i : order) {
    if (failures[i]) std::rethrow_exception(failures[i]);
  }
}

}  // namespace quarq::detail
