// The way from other threads to a loop that may be gone.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include "async/loop_lifetime.hpp"

namespace quarq::async {

/// An executor of a loop, for those who may outlive the loop. Thread safety: all members may be called at the
/// same time.
class loop_handle final : public loop_guest {
 public:
  /// To be called on the loop's thread, or while the loop does not run.
  static std::shared_ptr<loop_handle> make(const boost::asio::any_io_executor& loop) {
    auto handle = std::make_shared<loop_handle>(loop);
    loop_lifetime::of(boost::asio::query(loop, boost::asio::execution::context))->add(handle);
    return handle;
  }

  explicit loop_handle(boost::asio::any_io_executor loop) : loop_(std::move(loop)) {}

  /// Posts f to the loop. Returns false if the loop is gone: f is destroyed then, uncalled.
  template <class F>
  bool post(F f) {
    const std::lock_guard lock(mutex_);
    if (!loop_) return false;
    boost::asio::post(*loop_, std::move(f));
    return true;
  }

  void loop_destroyed() noexcept override {
    const std::lock_guard lock(mutex_);
    loop_.reset();
  }

 private:
  std::mutex mutex_;
  std::optional<boost::asio::any_io_executor> loop_;
};

}  // namespace quarq::async
