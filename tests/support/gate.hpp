// Holds a thread until the test lets it go on.
#pragma once

#include <semaphore>

namespace quarq::test {

class gate {
 public:
  /// Called by the thread: returns when the gate is open.
  void pass() {
    reached_.release();
    opened_.acquire();
  }
  void wait_until_reached() { reached_.acquire(); }
  void open() { opened_.release(1000); }
  void let_one_pass() { opened_.release(); }

 private:
  std::counting_semaphore<> reached_{0}, opened_{0};
};

}  // namespace quarq::test
