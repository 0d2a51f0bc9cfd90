// A job runner with all that it stands on, for one queue.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include <quarq/event.hpp>
#include <quarq/msgpack.hpp>

#include "model/record.hpp"
#include "unit/workers/role_test.hpp"
#include "workers/job_runner.hpp"
#include "workers/log/quarq_format.hpp"

namespace quarq::test {

/// A broker's jobs of the task "work", whose handler is a coroutine of the test.
class job_runner_test : public role_test {
 protected:
  job_runner_test() {
    hold(lease());
    slots_.set_limit(level::loop, 10);
    broker_time_.note_message(broker_.now());
    setup_.options.cancel_timeout = 5s;
    handle([](context&) -> awaitable<void> { co_return; });
    start(settlements_.run(lease()));
    start(runner_.watch_deadlines());
  }
  void TearDown() override {
    end_of_work_.set();
    loop_.run_ready();
    role_test::TearDown();
    EXPECT_TRUE(runner_.empty()) << "a job runs on";
  }

  void handle(std::function<awaitable<void>(context&)> f, handler_options how = {}) {
    detail::handler h;
    h.on_loop = std::bind_front(&job_runner_test::call, std::move(f));
    h.options = std::move(how);
    setup_.handlers.insert_or_assign("work", std::move(h));
    setup_.tasks = {"work"};
  }
  static awaitable<std::string> call(const std::function<awaitable<void>(context&)>& f, context& ctx,
                                     std::string_view) {
    auto work = f(ctx);
    co_await std::move(work);
    co_return to_msgpack(42);
  }
  /// A handler that runs until it is cancelled, or until the test ends.
  void handle_without_end(handler_options how = {}) {
    handle([this](context&) { return end_of_work_.wait(); }, std::move(how));
  }
  /// A handler that does not end when it is cancelled.
  void handle_stubbornly(handler_options how = {}) {
    handle(
        [this](context&) -> awaitable<void> {
          co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
          co_await end_of_work_.wait();
        },
        std::move(how));
  }
  void end_work() {
    end_of_work_.set();
    loop_.run_ready();
  }

  static model::record record_of(std::string task = "work") {
    model::record r;
    r.task = std::move(task);
    r.arguments = encode_arguments();
    return r;
  }
  /// Puts the job into the queue and starts it as if it had been claimed.
  void run(broker::job_details job) {
    job.state = job_state::running;
    job.holder = lease().lease.token;
    if (job.attempts == 0) job.attempts = 1;
    if (!job.enqueued_at) job.enqueued_at = broker_.now();
    broker_.put("default", job);
    broker::claimed_job claimed{job.id,           job.record,       job.attempts,   job.losses, job.priority,
                                *job.enqueued_at, *job.enqueued_at, job.expires_at, job.outcome};
    runner_.start(lease(), std::move(claimed), broker_.now());
    loop_.run_ready();
  }
  void run(std::string id, const model::record& r = record_of()) {
    run(queued(std::move(id), model::encode(r)));
  }

  const broker::job_details& job(const std::string& id) const { return broker_.at("default", id); }
  model::outcome outcome(const std::string& id) const { return model::decode_outcome(job(id).outcome); }

  event end_of_work_;
  workers::worker_setup setup_;
  context worker_context_{nullptr};
  workers::job_counts counts_;
  workers::slot_table slots_{10, 0};
  workers::settler settlements_{
      {broker_, leases_, clock_, loop_.executor(), [this] { runner_.ends_recorded(); }}};
  workers::broker_clock broker_time_{clock_, loop_.executor()};
  workers::cron_runs runs_{broker_};
  workers::cron_gate gate_{{setup_.crons, runs_, broker_time_, clock_}};
  std::mt19937_64 random_{1};
  strings parked_;
  int ended_ = 0;
  workers::job_runner runner_{{setup_, "host:1", worker_context_, workers::quarq_format(), false, counts_,
                               slots_, settlements_, gate_, clock_, loop_.executor(), random_, nullptr,
                               nullptr, std::weak_ptr<void>(),
                               [this](const workers::running_job& parked, std::string until_ended) {
                                 parked_.push_back(parked.claimed.id + " until " + until_ended);
                               },
                               [this] { ++ended_; }}};
};

}  // namespace quarq::test
