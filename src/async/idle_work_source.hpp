// What a thread does while the loop that quarq::run runs on it is idle.
#pragma once

#include <boost/asio/io_context.hpp>

namespace quarq::async {

/// Work that a thread can do besides running its loop. All members are called on that thread.
class idle_work_source {
 public:
  virtual ~idle_work_source() = default;
  /// A loop begins or ends on this thread. Loops nest.
  virtual void loop_begins() = 0;
  virtual void loop_ends() noexcept = 0;
  /// Does one piece of work. Returns false if there is none.
  virtual bool run_one() = 0;
  /// Waits until the loop has run a handler, or until there is work.
  virtual void wait(boost::asio::io_context& loop) = 0;

  /// That of this thread; null if it has none.
  static idle_work_source*& here() noexcept;
};

/// Whether quarq::run runs a loop on this thread, which nothing may block.
bool is_in_run() noexcept;

/// While it exists, quarq::run may be called on this thread although it is called from within another loop's
/// run.
class allow_nested_run {
 public:
  allow_nested_run() noexcept;
  ~allow_nested_run();
  allow_nested_run(const allow_nested_run&) = delete;
  allow_nested_run& operator=(const allow_nested_run&) = delete;

 private:
  bool was_in_loop_;
};

}  // namespace quarq::async
