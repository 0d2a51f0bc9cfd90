// Jobs on python-arq's own keys, so that its clients and workers take part unchanged (docs/arq.md).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "broker/arq/lease.hpp"
#include "broker/arq/log_format.hpp"
#include "broker/arq/payload/payloads.hpp"
#include "broker/arq/replies.hpp"
#include "broker/arq/url.hpp"
#include "broker/broker.hpp"
#include "broker/redis_common/enqueue_batcher.hpp"
#include "broker/redis_common/queue_settings.hpp"
#include "broker/redis_common/request_ids.hpp"
#include "broker/redis_common/result_waiters.hpp"
#include "broker/redis_common/script_runner.hpp"
#include "broker/redis_common/server_clock.hpp"
#include "broker/redis_common/server_info.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::arq {

/// arq://, arqs:// and arq+unix://. Each call is a Lua script over a batch, "in one step" as in redis_broker.
/// quarq's own clients and workers notify each other; for changes by Python's, workers and
/// waiting clients look every few milliseconds.
class arq_broker final : public broker {
 public:
  arq_broker(arq_settings settings, boost::asio::any_io_executor loop);
  ~arq_broker() override;

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
  traits about() const noexcept override {
    return {.keep_void_results = true, .lists_ended = false, .log = &arq_log_format()};
  }
  awaitable<std::string> about_server() override;

  awaitable<std::optional<job_details>> inspect(std::string queue, std::string id) override;
  awaitable<job_page> page(std::string queue, job_state state, std::size_t max, std::string from) override;
  awaitable<job_page> page_of_ended(std::string queue, job_states states, std::string from) override;
  awaitable<std::vector<queue_summary>> queues() override;
  awaitable<std::vector<worker_summary>> workers(std::string queue) override;
  awaitable<live_workers> live_workers_of(std::string queue) override;
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
  // The contents of the keyspace that no index of arq's lists: running jobs and results, of all queues.
  struct keyspace {
    std::vector<std::string> running, results;
  };
  // Python's clients write the machine's time: where that agrees with the server's, so do ours.
  using server_clock = redis_common::server_clock<redis_common::steady_wall_clock>;
  // A job of a claim, and what else there is to do about it.
  struct taken {
    claimed_job job;
    std::string given;                  // known_job::given
    std::optional<time_point> aborted;  // before it started
    int set_attempts_to = 0;
  };

  std::string key_of(const std::string& queue) const;
  std::string health_key_of(const std::string& queue_key) const;
  std::string name_of(const std::string& key) const;
  awaitable<void> prepare(std::string queue);
  awaitable<void> ask_for_the_time();
  quarq::redis::connection& connection_for(std::size_t bytes);

  std::vector<redis_common::packed_job> pack(std::vector<new_job> jobs);
  redis_common::packed_job pack(new_job job, std::size_t more_to_come);

  enum class left { nothing, some, paused };  // in the queue, as far as a claim can tell
  awaitable<left> claim_some(lease held, std::size_t max, claim_result& into);
  awaitable<quarq::redis::reply> payload_of(std::string id);
  awaitable<void> fetch_large_payloads(quarq::redis::reply& claimed);
  taken read_taken(const quarq::redis::reply& answer, std::size_t i, time_point now);
  awaitable<void> set_attempts(lease held, std::vector<taken>& all);
  awaitable<void> end_aborted(lease held, std::vector<taken>& all, time_point now);
  awaitable<std::vector<bool>> settle_in_parts(lease held, std::vector<settlement> batch);
  awaitable<void> settle_some(lease held, const std::vector<settlement>& batch,
                              std::vector<std::string>& results, std::vector<std::size_t> which,
                              std::vector<bool>& answers);
  std::string result_of(const lease& held, const settlement& one);
  std::string result_that_fits(const settlement& one, const known_job& job, const std::string& key);
  worker_lease with_keys(const worker_lease& held) const;
  std::shared_ptr<poller> make_poller(const std::string& token);
  void make_parts(const worker_lease& held, const worker_lease& keyed, const lease_options& options,
                  worker_events events);
  renewal read_renewal(const quarq::redis::reply& reply, const worker_lease& held) const;
  static known_job known(const taken& one);
  awaitable<void> write_health(std::vector<std::shared_ptr<arq_lease>> of);

  ended read_ended(std::string_view end);
  job_details read_details(const quarq::redis::reply& reply, std::string id);
  void read_record(std::string_view payload, job_details& into);
  known_job read_known(std::string_view payload);
  awaitable<std::string> scan_some(std::string cursor, keyspace& into);
  awaitable<keyspace> scan();
  awaitable<void> visit_results(std::vector<std::string> ids,
                                std::function<bool(const std::string& id, arq_end_in& end)> visit);
  awaitable<void> summarize(const std::string& key, const std::vector<std::string>& running,
                            queue_summary& into);
  awaitable<job_page> page_of_results(std::string key, job_states states, std::string from);
  awaitable<std::size_t> purge_results(std::string queue, job_state state);

  std::shared_ptr<arq_lease> lease_of(const lease& held) const;
  void on_message(const std::string& channel, std::string_view message);
  void forget_lease(const worker_lease& held);
  void reconnected();

  const arq_settings settings_;
  boost::asio::any_io_executor loop_;
  arq_payloads payloads_;
  quarq::redis::connection connection_;
  quarq::redis::connection payload_connection_;  // never subscribes; connects when it is needed
  redis_common::server_info server_;
  redis_common::script_runner calls_;
  redis_common::queue_settings set_by_operators_;
  std::shared_ptr<redis_common::enqueue_batcher> enqueuer_;
  std::shared_ptr<redis_common::result_waiters> waits_;
  server_clock clock_;
  std::map<std::string, std::shared_ptr<arq_lease>, std::less<>> leases_;         // by channel
  std::map<std::string, redis_common::request_ids, std::less<>> settle_numbers_;  // by channel
  std::map<std::string, std::size_t, std::less<>> renewals_;  // by token: each looks at another queue
};

/// broker::open() calls it for these URLs.
std::shared_ptr<broker> open_arq(std::string_view url, boost::asio::any_io_executor loop,
                                 open_options options = {});

}  // namespace quarq::broker::arq
