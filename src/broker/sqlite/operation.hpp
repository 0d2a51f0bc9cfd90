// Requests of brokers to a store's thread, and how the answer comes back to their loops.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/errors.hpp>

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

/// An operation's tools, inside a transaction.
struct transaction {
  job_tables& tables;
  time_point now;       ///< on the wall clock
  milliseconds uptime;  ///< on the clock of leases
  changes& out;
};

/// Why an operation failed, and has changed nothing. A text, since exceptions are better not shared between
/// threads.
struct failure {
  std::string text;
  broker_error::reason why = broker_error::reason::unknown;
  bool store_gone = false;
};

/// One step for a store's thread. It is touched by that thread alone between submit() and the answer.
class operation {
 public:
  enum class kind {
    scans,  ///< may read many rows: in a transaction without writes, which would keep others out
    reads,
    writes,          ///< may be lost if the machine loses power: nobody was told it is safe
    writes_durably,  ///< as safe as the store was opened to be
  };

  operation(kind k, std::size_t jobs) : needs(k), weight(jobs + 1) {}
  virtual ~operation() = default;

  /// In a transaction; again after one that was rolled back.
  virtual void run(transaction& in) = 0;
  enum class next {
    answer,
    answer_later,  ///< it calls answer() itself
    run_again,     ///< it was a piece; the next one is to run after other operations have had their turn
  };
  /// After the commit.
  virtual next committed(subscriptions&) { return next::answer; }
  /// Wakes the asker, if there still is one. Thread-safe.
  void answer() {
    if (!loop) return;
    loop->post([waiting = waiting] {
      if (const auto one = waiting.lock()) one->answered.set();
    });
  }

  kind needs;
  std::size_t weight;                        ///< roughly how many rows it touches
  std::optional<milliseconds> lock_timeout;  ///< with a locked file; nothing: no end
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::optional<failure> error;
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
  next committed(subscriptions& all) override {
    if (then) then(all, result);
    return next::answer;
  }

  Result result{};
  std::function<void(subscriptions&, const Result&)> then;  ///< after the commit, in the store's thread

 private:
  std::function<Result(transaction&)> work_;
};

/// An operation on very many rows, in pieces of which each is a transaction of its own. If one fails, those
/// before it stay done.
///
/// A commit that waits for the disk holds the file's lock for as long as that takes, so of the pieces only the
/// first does so, which mostly is the only one. Where there are others, a last transaction waits for all.
class operation_in_pieces final : public operation {
 public:
  struct piece {
    std::size_t count = 0;  ///< added to the operation's count
    bool more = false;
  };
  /// Does the piece after so many others; may be asked for the same one again.
  using worker = std::function<piece(transaction&, std::size_t pieces_done)>;

  operation_in_pieces(kind k, worker work)
      : operation(k, rows_of_piece), asked_for_(k), work_(std::move(work)) {}
  void run(transaction& in) override {
    // Where no worker renews a lease, operators are the only ones who make room.
    in.out.sweep_due = true;
    if (sealing_) {
      in.tables.touch();
    } else {
      last_ = work_(in, done_);
    }
  }
  next committed(subscriptions&) override {
    if (sealing_) return next::answer;
    total += last_.count;
    ++done_;
    needs = kind::writes;
    if (last_.more) return next::run_again;
    if (done_ == 1 || asked_for_ != kind::writes_durably) return next::answer;
    sealing_ = true;
    needs = asked_for_;
    return next::run_again;
  }

  std::size_t total = 0;

 private:
  const kind asked_for_;
  worker work_;
  piece last_;
  bool sealing_ = false;
  std::size_t done_ = 0;
};

}  // namespace quarq::broker::sqlite
