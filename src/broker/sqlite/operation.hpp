// What brokers ask of a store's thread, and how the answer comes back to their loops.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "async/auto_reset_event.hpp"
#include "async/loop_handle.hpp"
#include "broker/sqlite/job_tables.hpp"

namespace quarq::broker::sqlite {

class subscriptions;

/// The coroutine that waits for an operation; its loop's own.
struct waiter {
  explicit waiter(boost::asio::any_io_executor loop) : answered(std::move(loop)) {}
  async::auto_reset_event answered;
};

/// What an operation works with, inside a transaction.
struct transaction {
  job_tables& tables;
  time_point now;       ///< on the wall clock
  milliseconds uptime;  ///< on the clock of leases
  changes& out;
};

/// One step for a store's thread. It is touched by that thread alone between submit() and the answer.
class operation {
 public:
  enum class kind {
    reads,
    writes,          ///< may be lost if the machine loses power: nobody was told it is safe
    writes_durably,  ///< as safe as the store was opened to be
  };

  operation(kind k, std::size_t jobs) : needs(k), weight(jobs + 1) {}
  virtual ~operation() = default;

  /// In a transaction; again after one that was rolled back.
  virtual void run(transaction& in) = 0;
  /// After the commit. False: the answer comes later.
  virtual bool committed(subscriptions&) { return true; }
  /// Wakes the asker, if there still is one. Thread-safe.
  void answer() {
    loop->post([waiting = waiting] {
      if (const auto one = waiting.lock()) one->answered.set();
    });
  }

  kind needs;
  std::size_t weight;  ///< roughly how many rows it touches
  std::optional<std::chrono::steady_clock::time_point> deadline;
  /// Why it failed, and has changed nothing. Text, since exceptions are better not shared between threads.
  std::optional<std::string> error;
  std::shared_ptr<async::loop_handle> loop;
  std::weak_ptr<waiter> waiting;
};

/// An operation that is one function.
template <class Result>
class function_operation final : public operation {
 public:
  function_operation(kind k, std::size_t jobs, std::function<Result(transaction&)> work)
      : operation(k, jobs), work_(std::move(work)) {}
  void run(transaction& in) override { result = work_(in); }
  bool committed(subscriptions& all) override {
    if (then) then(all, result);
    return true;
  }

  Result result{};
  std::function<void(subscriptions&, const Result&)> then;  ///< after the commit, in the store's thread

 private:
  std::function<Result(transaction&)> work_;
};

}  // namespace quarq::broker::sqlite
