// Structured concurrency: child coroutines that all end before their parent resumes. Under gather,
// task_group, shield.
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

#include "async/stored_handler.hpp"

namespace quarq::async {

/// The children of one coroutine, its parent, all on one loop or strand. The first child that fails cancels
/// the others. The children own the scope: when the loop destroys them, the scope destroys the parent that
/// waits for them.
class scope : public std::enable_shared_from_this<scope> {
 public:
  enum class cancellation { passed_on, blocked };

  explicit scope(boost::asio::any_io_executor loop);
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope();

  /// Makes a scope, lets `begin` start children in it, and waits until all have ended. Throws neither what
  /// they throw nor for a cancellation of the parent, which is passed on to the children or blocked.
  static awaitable<std::shared_ptr<scope>> run(std::function<void(scope&)> begin,
                                               cancellation how = cancellation::passed_on);

  /// Starts a child within this call, up to its first wait.
  void start(awaitable<void> work) { start(std::move(work), false); }
  /// The same for the body of a task group, which size() does not count.
  void start_body(awaitable<void> work) { start(std::move(work), true); }
  /// Starts a child on the next loop iteration, unless the scope is cancelled before.
  void start_later(awaitable<void> work);
  void cancel();
  /// A child is about to end with this.
  void fail(const std::exception_ptr& failure) { record(failure); }

  /// How many children have not ended, without the body.
  std::size_t size() const noexcept { return left_ - (body_runs_ ? 1 : 0); }
  task_group& group() noexcept { return group_; }

  /// Throws the first failure, if there is one. A child that ended by cancellation is not a failure; but if
  /// the parent was cancelled, operation_aborted is thrown.
  void throw_failure() const;
  /// Whether the parent was cancelled while it waited.
  bool parent_cancelled() const noexcept { return parent_cancelled_; }

 private:
  struct child;
  class child_handler;
  class deferred_start;
  class parent_wait;

  void start(awaitable<void> work, bool is_body);
  void emit(child& to);
  void cancel_by_parent();
  void wake_parent();
  void link(child& one) noexcept;
  void unlink(child& one) noexcept;
  void destroy(std::unique_ptr<child> one) noexcept;
  void child_ended(std::unique_ptr<child> one, const std::exception_ptr& failure);
  void child_gone(std::unique_ptr<child> one) noexcept;
  void record(const std::exception_ptr& failure);
  void start_all_later();

  const boost::asio::any_io_executor loop_;
  task_group group_;
  std::size_t left_ = 0;
  child* first_ = nullptr;
  // The position of cancel(), and the child being cancelled, if it has ended meanwhile.
  child* next_to_cancel_ = nullptr;
  child* being_cancelled_ = nullptr;
  std::unique_ptr<child> ended_meanwhile_;
  // The progress of start().
  bool starting_ = false;
  child* being_started_ = nullptr;
  std::vector<awaitable<void>> later_;
  bool body_runs_ = false;
  bool cancelled_ = false;
  bool parent_cancelled_ = false;
  std::exception_ptr failure_;
  std::exception_ptr aborted_;
  stored_handler parent_;
};

}  // namespace quarq::async
