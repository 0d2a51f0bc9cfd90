// Whole workers at a scripted broker, in a time that passes only when nothing else is left to happen: an hour
// takes as long as what happens in it.
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

#include "base/log.hpp"
#include "model/record.hpp"
#include "support/manual_clock.hpp"
#include "support/manual_loop.hpp"
#include "support/scripted_broker.hpp"
#include "workers/worker.hpp"

namespace quarq::test {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

class worker_simulation : public testing::Test {
 protected:
  worker_simulation() { base::set_log_level("off"); }

  /// A worker of the queue "default".
  worker make_worker(worker_options o = {}) {
    workers::environment here{clock_, [this](const auto&...) { return broker_; }};
    return workers::worker_access::make(
        std::make_shared<workers::worker_impl>(std::move(o), std::move(here)));
  }

  std::shared_ptr<spawned> start(worker& w) { return loop_.start(w.run()); }
  /// Lets the loop run, and time pass, until `holds`. Throws after a day.
  template <class F>
  void until(F holds) {
    const auto end = clock_.now() + 24h;
    loop_.run_ready();
    while (!holds()) {
      const auto next = clock_.next();
      if (!next || *next > end) throw std::runtime_error("waited in vain");
      clock_.advance_to(*next);
      loop_.run_ready();
    }
  }
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
  /// Stops it without grace, and waits for its end.
  void end(worker& w, const std::shared_ptr<spawned>& run) {
    w.stop();
    w.stop();
    until([&] { return run->ended(); });
    EXPECT_FALSE(run->failure());
  }
  /// Runs these workers alongside each other until `holds`, and ends them.
  template <class F>
  void serve_until(F holds, std::vector<worker*> workers) {
    std::vector<std::shared_ptr<spawned>> runs;
    for (auto* w : workers) runs.push_back(start(*w));
    until(holds);
    for (std::size_t i = 0; i < workers.size(); ++i) end(*workers[i], runs[i]);
  }
  /// Runs it until it ends by itself.
  void run_to_end(worker& w) {
    const auto run = start(w);
    until([&] { return run->ended(); });
    EXPECT_FALSE(run->failure());
  }

  broker::time_point now() const { return broker_->now(); }
  /// nullptr: there is none.
  const broker::job_details* find(const std::string& id) const { return broker_->find("default", id); }
  bool is_in(const std::string& id, job_state state) const {
    const auto* job = find(id);
    return job != nullptr && job->state == state;
  }
  model::outcome outcome(const std::string& id) const {
    return model::decode_outcome(broker_->at("default", id).outcome);
  }
  void put(broker::job_details job) { broker_->put("default", std::move(job)); }
  /// A job of this task, without arguments.
  static broker::job_details job_of(std::string task, std::string id, std::string after = "") {
    model::record r;
    r.task = std::move(task);
    r.arguments = encode_arguments();
    r.after = std::move(after);
    broker::job_details job;
    job.id = std::move(id);
    job.record = model::encode(r);
    return job;
  }
  /// Puts it there and tells the workers.
  void enqueue(const broker::job_details& job) {
    broker::new_job fresh;
    fresh.id = job.id;
    fresh.record = job.record;
    fresh.at = job.due_at;
    loop_.start(enqueue(broker_, std::move(fresh)));
  }
  void cancel(const std::string& id) { loop_.start(cancel(broker_, id)); }

  // In the order in which they must outlive each other.
  manual_clock clock_;
  manual_loop loop_;
  std::shared_ptr<scripted_broker> broker_ = std::make_shared<scripted_broker>(clock_, loop_.executor());

 private:
  static awaitable<void> enqueue(std::shared_ptr<scripted_broker> at, broker::new_job job) {
    std::vector<broker::new_job> one;
    one.push_back(std::move(job));
    co_await at->enqueue("default", std::move(one));
  }
  static awaitable<void> cancel(std::shared_ptr<scripted_broker> at, std::string id) {
    co_await at->cancel("default", std::move(id), "", std::chrono::milliseconds(0));
  }
};

}  // namespace quarq::test
