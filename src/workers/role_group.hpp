// A worker's roles: coroutines that end together.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <quarq/awaitable.hpp>

namespace quarq::workers {

class role_group {
 public:
  /// `owner` is kept alive by each role; `ended` is called when one has ended.
  role_group(boost::asio::any_io_executor loop, std::weak_ptr<void> owner, std::function<void()> ended)
      : loop_(std::move(loop)), owner_(std::move(owner)), ended_(std::move(ended)) {}

  void spawn(awaitable<void> role);
  /// Cancels all. What they throw from now on is no failure.
  void close();
  bool is_closed() const noexcept { return closed_; }
  bool empty() const noexcept { return signals_.empty(); }
  /// What a role threw before close(): the worker can't go on.
  std::exception_ptr failure() const noexcept { return failure_; }

 private:
  boost::asio::any_io_executor loop_;
  std::weak_ptr<void> owner_;
  std::function<void()> ended_;
  std::list<boost::asio::cancellation_signal> signals_;  // one for each role under way
  std::exception_ptr failure_;
  bool closed_ = false;
};

}  // namespace quarq::workers
