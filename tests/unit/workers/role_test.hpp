// What the tests of the worker's roles stand on: a loop and a clock that the test moves, and a scripted
// broker.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/log.hpp"
#include "support/manual_clock.hpp"
#include "support/manual_loop.hpp"
#include "support/scripted_broker.hpp"
#include "workers/queue_lease.hpp"

namespace quarq::test {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

class role_test : public testing::Test {
 protected:
  explicit role_test(const strings& queues = {"default"}) {
    base::set_log_level("off");
    for (const auto& queue : queues) leases_.push_back(make_lease(queue, 1, leases_.size()));
  }
  /// The roles must end before they are destroyed, and before the loop is.
  void TearDown() override {
    for (const auto& role : started_) role->cancel();
    loop_.run_ready();
    for (const auto& role : started_)
      EXPECT_TRUE(role->ended()) << "a role does not end when it is cancelled";
  }

  std::shared_ptr<spawned> start(awaitable<void> role) {
    started_.push_back(loop_.start(std::move(role)));
    return started_.back();
  }
  /// Lets time pass. What waits for a time in between goes on at that time.
  void pass(std::chrono::milliseconds time) {
    const auto end = clock_.now() + time;
    loop_.run_ready();
    for (auto next = clock_.next(); next && *next <= end; next = clock_.next()) {
      clock_.advance_to(*next);
      loop_.run_ready();
    }
    clock_.advance_to(end);
    loop_.run_ready();
  }

  static workers::queue_lease make_lease(std::string queue, int weight, std::size_t index) {
    workers::queue_lease l;
    l.index = index;
    l.served = {std::move(queue), weight};
    return l;
  }
  /// Opens the lease at the broker, with nobody to hear its events.
  void hold(workers::queue_lease& l, std::string token = "token") {
    broker::lease lease{l.served.name, std::move(token)};
    l.lease = lease;
    start(broker_.open_lease(std::move(lease), broker::lease_options(), broker::worker_events()));
  }
  workers::queue_lease& lease() { return leases_.front(); }

  /// A job that waits in the queue, or one that is held under the lease.
  broker::job_details queued(std::string id, std::string record = "") const {
    broker::job_details job;
    job.id = std::move(id);
    job.record = std::move(record);
    return job;
  }
  void put_held(const std::string& id) {
    auto job = queued(id);
    job.state = job_state::running;
    job.attempts = 1;
    job.holder = lease().lease.token;
    broker_.put("default", std::move(job));
  }

  // In the order in which they must outlive each other.
  manual_clock clock_;
  manual_loop loop_;
  scripted_broker broker_{clock_, loop_.executor()};
  workers::queue_leases leases_;

 private:
  std::vector<std::shared_ptr<spawned>> started_;
};

}  // namespace quarq::test
