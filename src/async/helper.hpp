// What a thread does while the loop that quarq::run runs on it has nothing to do.
#pragma once

#include <boost/asio/io_context.hpp>

namespace quarq::async {

/// Threads that have other work than their loop's have one; its members are called on that thread only.
class helper {
 public:
  virtual ~helper() = default;
  /// A loop begins and ends on this thread; they nest.
  virtual void enter() = 0;
  virtual void leave() noexcept = 0;
  /// Does one piece of work; false if there is none.
  virtual bool help() = 0;
  /// Waits until the loop has run a handler, or until there is work.
  virtual void wait(boost::asio::io_context& loop) = 0;

  /// This thread's; null if it has none.
  static helper*& here() noexcept;
};

/// While it lives, quarq::run may be called on this thread although a loop of it runs further out.
class outside_of_loops {
 public:
  outside_of_loops() noexcept;
  ~outside_of_loops();
  outside_of_loops(const outside_of_loops&) = delete;
  outside_of_loops& operator=(const outside_of_loops&) = delete;

 private:
  bool was_in_loop_;
};

}  // namespace quarq::async
