// Tells those who depend on a loop when that loop is destroyed.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/execution_context.hpp>

namespace quarq::async {

/// Something that may outlive its loop.
class loop_guest {
 public:
  virtual ~loop_guest() = default;
  /// The loop is being destroyed by this thread, and runs no handlers any more. Its services still exist,
  /// although some may have been shut down. Called once.
  virtual void loop_destroyed() noexcept = 0;
};

/// The lifetime of one loop. May be held for longer than the loop exists. Thread safety: all members may be
/// called at the same time.
class loop_lifetime {
 public:
  /// That of this loop.
  static std::shared_ptr<loop_lifetime> of(boost::asio::execution_context& loop);

  explicit loop_lifetime(boost::asio::execution_context& loop) : loop_(loop) {}
  loop_lifetime(const loop_lifetime&) = delete;
  loop_lifetime& operator=(const loop_lifetime&) = delete;

  /// Has the guest told when the loop is destroyed, unless it is gone by then. The last one added is told
  /// first.
  void add(std::weak_ptr<loop_guest> guest);

  /// The one Guest that all users of this loop share: made from the loop on first use, and kept until the
  /// loop is destroyed.
  template <class Guest>
  std::shared_ptr<Guest> shared_guest() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, guest] : shared_) {
      if (key == &key_of<Guest>) return std::static_pointer_cast<Guest>(guest);
    }
    auto guest = std::make_shared<Guest>(loop_);
    shared_.emplace_back(&key_of<Guest>, guest);
    guests_.push_back(guest);
    return guest;
  }

 private:
  class service;
  template <class Guest>
  static inline const char key_of = 0;

  void end() noexcept;

  boost::asio::execution_context& loop_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<loop_guest>> guests_;
  std::vector<std::pair<const void*, std::shared_ptr<loop_guest>>> shared_;
};

}  // namespace quarq::async
