// What the fault tests are written with: a place for jobs, workers and clients that are real processes, and
// the history that their jobs write. Every test runs on each broker.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include <quarq/quarq.hpp>

#include "base/sanitizers.hpp"
#include "broker/broker.hpp"
#include "programs/fault_tasks.hpp"
#include "support/history.hpp"
#include "support/on_loop.hpp"
#include "support/process.hpp"
#include "support/redis_server.hpp"
#include "support/sentinels.hpp"
#include "support/temp_dir.hpp"

namespace quarq::test {

using namespace std::chrono_literals;
using milliseconds = std::chrono::milliseconds;
using strings = std::vector<std::string>;

using base::sanitized;
/// Limits that are promises to users hold for optimised builds; a sanitizer's may take this much longer.
inline constexpr int slowness = sanitized ? 5 : 1;
/// For whatever must happen, but has not promised when.
inline constexpr milliseconds soon = sanitized ? 150s : 90s;

/// The last is redis+sentinel://, with a replica.
enum class store_kind { sqlite, redis, arq, sentinel };
inline const char* name_of(store_kind kind) {
  constexpr const char* names[] = {"sqlite", "redis", "arq", "sentinel"};
  return names[static_cast<int>(kind)];
}
inline void PrintTo(store_kind kind, std::ostream* out) {
  *out << name_of(kind);
}
/// For INSTANTIATE_TEST_SUITE_P.
inline std::string kind_name(const testing::TestParamInfo<store_kind>& info) {
  return name_of(info.param);
}

/// Shorthands for the flags of a worker.
inline strings lease(int seconds) {
  return {"--lease", std::to_string(seconds)};
}
inline strings shutdown_timeout(int seconds) {
  return {"--shutdown-timeout", std::to_string(seconds)};
}

class fault_test : public testing::TestWithParam<store_kind> {
 protected:
  /// `appendfsync`: of a redis-server.
  explicit fault_test(const std::string& appendfsync = "no");
  /// Prints the ends of the logs if the test has failed.
  void TearDown() override;

  // ---- the place

  std::string url() const;
  /// The same for this process, which waits for a locked file as long as for all else: others may write to a slow disk.
  std::string own_url() const;
  bool on_redis() const { return redis_ || sentinels_; }
  /// With sentinels, the master at the beginning.
  redis_server& redis() { return sentinels_ ? sentinels_->first() : *redis_; }
  sentinels& all_servers() { return *sentinels_; }
  /// The file of a sqlite: place.
  std::string file() const { return folder_ / "jobs.db"; }

  // ---- processes

  /// Starts a worker and waits until it serves. `flags` is more for its command line.
  process& start_worker(strings flags = {}, std::map<std::string, std::string> environment = {});
  /// The same without waiting.
  process& begin_worker(strings flags = {}, std::map<std::string, std::string> environment = {});
  process& start_fixed_worker(strings flags = {}) {
    return start_worker(std::move(flags), {{"QUARQ_TEST_FIXED", "1"}});
  }
  process& start_client(strings flags);
  void wait_until_serving(const process& worker);
  void wait_until_stopping(const process& worker);
  /// SIGSTOP, at a moment when the worker does not hold a lock of the file that all others need.
  void freeze(process& worker);
  /// Kills without warning, and remembers when.
  void kill(process& p);
  const std::map<pid_t, micros>& killed() const { return killed_; }

  // ---- gates: files that jobs wait for

  std::string gate(const std::string& name = "gate") const { return folder_ / name; }
  void open_gate(const std::string& name = "gate") const;

  // ---- what happened

  history past() const { return history::read(folder_ / "history"); }
  std::string history_file() const { return folder_ / "history"; }
  /// Waits for the n-th start of a job, and tells of it. Fails the test if it does not come.
  job_run wait_for_start(const std::string& id, std::size_t n = 1, milliseconds max = soon);
  void wait_for_ends(std::size_t runs, milliseconds max = soon);

  // ---- asking the broker, from this process

  /// Runs a coroutine that `make` makes of a queue here.
  template <class F>
  auto with_queue(F make) {
    const queue q(own_url());
    return run_on_loop(make(q), 5 * soon);
  }
  /// Enqueues one call, and gives the job's id.
  template <class R>
  std::string enqueue(call<R> c) {
    const queue q(own_url());
    return run_on_loop(enqueue_one(q, std::move(c)), soon);
  }
  /// Waits for the result.
  template <class R>
  R result(const std::string& id) {
    const queue q(own_url());
    return run_on_loop(result_of<R>(q, id), 2 * soon);
  }
  job_info info(const std::string& id);
  job_state state(const std::string& id) { return info(id).state; }
  cancel_outcome cancel(const std::string& id);
  void wait_for_state(const std::string& id, job_state wanted, milliseconds max = soon);
  broker::queue_summary summary();
  /// Hands records to the broker that no client would make.
  void enqueue_raw(std::vector<std::pair<std::string, std::string>> ids_and_records);
  std::size_t requeue(strings ids);

  template <class T>
  T ask(std::function<awaitable<T>(broker::broker&)> question) {
    return run_on_loop(answer_to<T>(own_url(), std::move(question)), soon);
  }

  std::list<process>& processes() { return processes_; }

 private:
  template <class R>
  static awaitable<std::string> enqueue_one(queue q, call<R> c) {
    const auto sent = co_await q.enqueue(std::move(c));
    co_return sent.id();
  }
  template <class R>
  static awaitable<R> result_of(queue q, std::string id) {
    const auto job = q.find<R>(std::move(id));
    auto value = co_await job.result(soon);
    co_return value;
  }
  template <class T>
  static awaitable<T> answer_to(std::string url, std::function<awaitable<T>(broker::broker&)> question) {
    const auto loop = co_await boost::asio::this_coro::executor;
    const auto opened = broker::open(url, loop);
    auto answer = co_await question(*opened);
    co_return answer;
  }
  process& start(strings words, std::map<std::string, std::string> environment);
  bool file_is_free() const;
  void expect_no_sanitizer_reports();

  temp_dir folder_;
  std::unique_ptr<redis_server> redis_;
  std::unique_ptr<sentinels> sentinels_;
  std::list<process> processes_;
  std::map<pid_t, micros> killed_;
};

/// Instantiates the tests of a class derived from fault_test on each broker.
#define ON_EACH_BROKER(suite) \
  INSTANTIATE_TEST_SUITE_P(   \
      on, suite, testing::Values(store_kind::sqlite, store_kind::redis, store_kind::arq), kind_name)

}  // namespace quarq::test
