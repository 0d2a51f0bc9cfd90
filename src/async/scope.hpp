// Coroutines that end before the one that waits for them goes on: under gather, task_group and shield.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/task_group.hpp>

#include "async/suspended.hpp"

namespace quarq::detail {

/// Children of one coroutine, its parent, all on one loop or strand. The first that fails cancels the others.
/// It belongs to its children: when the loop destroys them, it destroys the parent that waits for them.
class scope : public std::enable_shared_from_this<scope> {
 public:
  enum class caller { may_cancel, may_not };

  explicit scope(boost::asio::any_io_executor loop);
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope();

  /// Makes a scope, lets `begin` start children in it, and waits until all have ended. Throws nothing of what
  /// they throw, nor for a cancellation, of which the children hear unless the caller may not cancel them.
  static awaitable<std::shared_ptr<scope>> run(std::function<void(scope&)> begin,
                                               caller whether = caller::may_cancel);

  /// Starts it in here, up to where it first waits.
  void start(awaitable<void> work) { start(std::move(work), false); }
  /// The same for a task group's body, which is no task of it.
  void start_body(awaitable<void> work) { start(std::move(work), true); }
  /// Starts it at the next turn of the loop, unless it is cancelled before.
  void start_later(awaitable<void> work);
  void cancel();

  /// How many have not ended, but for the body.
  std::size_t size() const noexcept { return left_ - (body_runs_ ? 1 : 0); }
  task_group& group() noexcept { return group_; }

  /// Throws the first failure. Children that a cancellation ended are none, but if it was the caller's,
  /// operation_aborted is thrown.
  void throw_failure() const;
  /// Whether the caller was cancelled while it waited.
  bool caller_cancelled() const noexcept { return caller_cancelled_; }

 private:
  struct child;
  class ended;
  class starter;
  class parent;

  void start(awaitable<void> work, bool is_body);
  void emit(child& to);
  void cancel_by_caller();
  void wake_parent();
  void link(child& one) noexcept;
  void unlink(child& one) noexcept;
  void destroy(std::unique_ptr<child> one) noexcept;
  void child_ended(std::unique_ptr<child> one, const std::exception_ptr& failure);
  void child_gone(std::unique_ptr<child> one) noexcept;
  void note(const std::exception_ptr& failure);
  void start_all_later();

  const boost::asio::any_io_executor loop_;
  task_group group_;
  std::size_t left_ = 0;
  child* first_ = nullptr;
  // Where cancel() is, and whether the child that it is at has ended meanwhile.
  child* next_to_cancel_ = nullptr;
  child* being_cancelled_ = nullptr;
  std::unique_ptr<child> ended_meanwhile_;
  // What start() is at.
  bool starting_ = false;
  child* being_started_ = nullptr;
  std::vector<awaitable<void>> later_;
  bool body_runs_ = false;
  bool cancelled_ = false;
  bool caller_cancelled_ = false;
  std::exception_ptr failure_;
  std::exception_ptr aborted_;
  async::suspended parent_;
};

}  // namespace quarq::detail
