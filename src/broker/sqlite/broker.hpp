// Jobs in an SQLite file (docs/sqlite_schema.md): for one machine, without a server.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include "broker/broker.hpp"
#include "broker/sqlite/operation.hpp"
#include "broker/sqlite/writer_thread.hpp"

namespace quarq::broker::sqlite {

/// The part of a store that belongs to one loop.
class sqlite_broker final : public broker {
 public:
  sqlite_broker(std::shared_ptr<writer_thread> where, boost::asio::any_io_executor loop,
                open_options options);

  awaitable<std::vector<accepted>> enqueue(std::string queue, std::vector<new_job> jobs) override;
  awaitable<std::optional<ended>> wait_ended(std::string queue, std::string id) override;
  awaitable<std::vector<std::string>> notes(std::string queue, std::vector<std::string> ids) override;
  awaitable<cancel_result> cancel(std::string queue, std::string id, std::string outcome,
                                  std::optional<milliseconds> keep) override;

  awaitable<void> open_lease(worker_lease held, lease_options options, worker_events events) override;
  awaitable<renewal> renew(worker_lease held, lease_options options) override;
  awaitable<void> close_lease(worker_lease held) override;
  awaitable<claim_result> claim(lease held, std::size_t max) override;
  awaitable<std::vector<bool>> settle(lease held, std::vector<settlement> batch) override;
  awaitable<void> reconcile(lease held, std::vector<std::string> known) override;
  awaitable<void> keep_notes(lease held, std::vector<job_note> notes) override;

  awaitable<std::optional<job_details>> inspect(std::string queue, std::string id) override;
  awaitable<job_page> page(std::string queue, job_state state, std::size_t max, std::string from) override;
  awaitable<std::vector<queue_summary>> queues() override;
  awaitable<std::vector<worker_summary>> workers(std::string queue) override;
  awaitable<bool> set_paused(std::string queue, bool paused) override;
  awaitable<bool> is_paused(std::string queue) override;
  awaitable<bool> set_mark(std::string queue, std::string name, std::string text) override;
  awaitable<std::map<std::string, std::string>> marks(std::string queue) override;
  awaitable<std::size_t> requeue(std::string queue, std::vector<std::string> ids) override;
  awaitable<std::size_t> purge(std::string queue, job_state state) override;
  awaitable<std::size_t> purge_named(std::string queue, job_state state,
                                     std::vector<std::string> ids) override;
  awaitable<std::optional<std::uint64_t>> count(std::string queue, job_state state) override;
  awaitable<void> add_stats(std::string queue, std::vector<task_counts> what) override;
  awaitable<std::vector<task_minute>> stats(std::string queue, task_minute::time_point from,
                                            task_minute::time_point until) override;
  awaitable<std::vector<std::string>> warnings() override;

 private:
  /// Hands the operation to the store, and returns when it is answered; throws its error.
  awaitable<void> perform(std::shared_ptr<operation> what);
  /// The same for an operation that only runs a function.
  template <class Result>
  awaitable<Result> ask(operation::kind needs, std::size_t jobs, std::function<Result(transaction&)> work);

  awaitable<std::size_t> count_in_pieces(operation_in_pieces::worker work);

  std::shared_ptr<writer_thread> writer_;
  boost::asio::any_io_executor loop_;
  open_options options_;
  std::shared_ptr<async::loop_handle> handle_;
  struct open_lease_state {
    worker_events events;
    std::optional<int> says_begin_from;
    std::size_t next_to_look_at = 0;  ///< which of its queues a renewal begins with
  };
  std::map<std::string, std::shared_ptr<open_lease_state>> leases_;  ///< by token
};

/// sqlite:FILE[?synchronous=full|normal|off][&timeout=SECONDS], or sqlite::memory:. Does not open the file
/// yet. Throws usage_error that names what is wrong in the URL.
std::shared_ptr<broker> open_sqlite(std::string_view url, boost::asio::any_io_executor loop,
                                    open_options options);

}  // namespace quarq::broker::sqlite
