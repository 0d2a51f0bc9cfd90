// What goes on without waiting lets others on its loop have their turn.
#pragma once

#include <cstddef>

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

namespace quarq::async {

/// Counts what a coroutine does without waiting. Where a peer always has more, as one that pipelines requests has,
/// nobody else on the loop would get anything done meanwhile.
class turn {
 public:
  /// What may be done in a row, in units of the user's choice.
  explicit constexpr turn(std::size_t size) noexcept : size_(size) {}

  void spend(std::size_t cost = 1) noexcept { spent_ += cost; }
  /// True: next_turn() must be awaited before more is done. The next turn has begun then.
  bool is_over() noexcept {
    if (spent_ < size_) return false;
    spent_ = 0;
    return true;
  }
  /// The coroutine has waited for something else: others have had their turn.
  void begin() noexcept { spent_ = 0; }

 private:
  std::size_t size_;
  std::size_t spent_ = 0;
};

/// To be awaited: all that is ready on the coroutine's loop runs first. If the coroutine was cancelled, it throws
/// operation_aborted, so nothing that would be lost may be held.
inline auto next_turn() {
  return boost::asio::post(boost::asio::deferred);
}

}  // namespace quarq::async
