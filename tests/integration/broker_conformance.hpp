// What the tests that every broker must pass are written with. A test is a coroutine on a loop of its own,
// given an empty place.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <gtest/gtest.h>

#include <quarq/awaitable.hpp>

#include "broker/broker.hpp"
#include "support/broker_fixtures.hpp"
#include "support/errors.hpp"
#include "support/on_loop.hpp"
#include "support/redis_server.hpp"

namespace quarq::test {

using namespace std::chrono_literals;
using boost::asio::any_io_executor;
using broker::accepted;
using broker::cancel_result;
using broker::claimed_job;
using broker::ended;
using broker::lease;
using broker::lease_options;
using broker::milliseconds;
using broker::new_job;
using broker::settlement;
using strings = std::vector<std::string>;

class every_broker : public testing::TestWithParam<broker_kind> {
 protected:
  void run(awaitable<void> (*test)(broker_fixture&, any_io_executor));
};

#define BROKER_TEST(name)                                        \
  static awaitable<void> name(broker_fixture&, any_io_executor); \
  TEST_P(every_broker, name) {                                   \
    run(name);                                                   \
  }                                                              \
  static awaitable<void> name([[maybe_unused]] broker_fixture& place, [[maybe_unused]] any_io_executor loop)

/// That a broker without priorities says so.
awaitable<void> expect_no_priorities(std::shared_ptr<broker::broker> store);

// ---- making things

// Brokers that translate take only real records and outcomes, so these are; each says one thing.
std::string record_saying(std::string_view what);
/// Of a job that succeeds it is the result, of others the error.
std::string outcome_saying(std::string_view what, job_state state = job_state::succeeded);
/// What it says.
std::string said_in_record(std::string_view record);
std::string said_in_outcome(std::string_view outcome);

/// A job whose record says "record of <id>".
new_job job_named(std::string id, int priority = 5);
std::vector<new_job> jobs_named(const strings& ids, int priority = 5);
std::vector<new_job> numbered_jobs(std::size_t count, std::string_view prefix = "job");

/// It ends with an outcome that says `what`.
settlement end(std::string id, job_state state = job_state::succeeded, std::string what = "",
               std::optional<milliseconds> keep = milliseconds{0});
settlement retry_after(std::string id, milliseconds delay);
settlement hand_back(std::string id);
settlement begin(std::string id);

// ---- steps

/// What a broker told a worker.
struct recorded_events {
  std::string queue;
  int work_ready = 0;  ///< of that queue
  strings cancels;
};

struct worker_end {
  std::shared_ptr<broker::broker> store;
  lease held;
  std::shared_ptr<recorded_events> heard;
};

/// A lease of `queue` under a token of its own.
awaitable<worker_end> new_worker(std::shared_ptr<broker::broker> store, std::string queue,
                                 milliseconds duration = 60s,
                                 std::optional<int> says_begin_from = std::nullopt);

/// Cancels with an outcome that says `what`.
awaitable<cancel_result> cancel(broker::broker& store, std::string queue, std::string id, std::string what,
                                std::optional<milliseconds> keep);

awaitable<accepted> enqueue_one(broker::broker& store, std::string queue, new_job job);
awaitable<void> enqueue_ids(broker::broker& store, std::string queue, strings ids);
awaitable<strings> claim_ids(const worker_end& worker, std::size_t max);
/// Claims again and again until it has `count` jobs in all.
awaitable<std::vector<claimed_job>> claim_until(const worker_end& worker, std::size_t count);
awaitable<bool> settle_one(const worker_end& worker, settlement one);
/// The answer to the renewal of a lease of one queue.
struct renewed {
  bool held = false;
  strings cancel_requests;
  bool work_ready = false;
  std::size_t workers = 0;
};

/// Renews and gives the answer.
awaitable<renewed> renew(const worker_end& worker, milliseconds duration = 60s);

/// The state of a job as inspect sees it; nothing if there is no such job.
awaitable<std::optional<job_state>> state_of(broker::broker& store, std::string queue, std::string id);
awaitable<broker::queue_summary> summary_of(broker::broker& store, std::string queue);

// ---- waiting

/// A wait_ended under way.
struct wait_under_way {
  bool over = false;
  std::optional<ended> outcome;
  std::string error;
};
std::shared_ptr<wait_under_way> start_waiting(any_io_executor loop, std::shared_ptr<broker::broker> store,
                                              std::string queue, std::string id);
/// Until the server (Redis, of either layout) knows that clients wait for so many jobs: what ends before and is not
/// kept, they would miss.
awaitable<void> until_waited_for(const redis_server& server, std::size_t jobs);

/// Five times a lease can't be opened, as the key `spoiled` is no sorted set. No subscription to `channels` (a pattern) is
/// left then, and a lease that is opened later hears of work in this queue.
awaitable<void> expect_unopened_leases_leave_nothing(const redis_server& server,
                                                     std::shared_ptr<broker::broker> store, std::string queue,
                                                     std::string spoiled, std::string channels);

awaitable<void> until_all_are_over(const std::vector<std::shared_ptr<wait_under_way>>& waits);

/// Until a lease of so long a duration, opened before, has run out by every clock.
awaitable<void> until_run_out(milliseconds duration);

/// Starts the coroutine beside the test; `running` is one more until it has ended.
void start(any_io_executor loop, awaitable<void> task, std::shared_ptr<int> running);

}  // namespace quarq::test
