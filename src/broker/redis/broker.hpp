// Jobs in Redis or Valkey: each call is a Lua script over a batch (docs/redis_layout.md).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "broker/broker.hpp"
#include "broker/redis/settings.hpp"
#include "broker/redis_common/enqueue_batcher.hpp"
#include "broker/redis_common/queue_settings.hpp"
#include "broker/redis_common/request_ids.hpp"
#include "broker/redis_common/result_waiters.hpp"
#include "broker/redis_common/script_runner.hpp"
#include "broker/redis_common/server_clock.hpp"
#include "broker/redis_common/server_info.hpp"
#include "redis/connection.hpp"

namespace quarq::broker::redis {

/// redis://, rediss:// and redis+unix://. One connection, over which Redis also sends events:
/// nothing polls; and another one for large payloads, when there are any (redis_common/byte_limits.hpp).
/// "In one step" holds for up to 1,000 jobs (and 16 MiB) of a call; more go in several such steps, without
/// waiting for each other. If one fails, the others are done all the same.
class redis_broker final : public broker {
 public:
  redis_broker(redis_settings settings, boost::asio::any_io_executor loop);
  ~redis_broker() override;

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
  awaitable<void> prepare(std::string queue);
  void hear_the_time(time_point said, std::chrono::steady_clock::time_point asked);
  awaitable<bool> claim_some(lease held, std::size_t max, claim_result& into);
  awaitable<std::string> fetch_record(std::string queue, std::string id);
  awaitable<void> bury_damaged(lease held, std::vector<std::string> ids);
  awaitable<void> sweep(std::string queue);
  awaitable<void> settle_some(lease held, const std::vector<settlement>& batch,
                              std::vector<std::size_t> which, std::vector<bool>& answers);

  // A worker's lease that is open here.
  struct open_worker {
    worker_events events;
    std::string says_begin_from;  // as in claim.lua
    std::string known_info;       // the worker_info that the server has
    std::size_t renewals = 0;     // each looks at another queue
    std::string leases = "1";     // how many there are of all workers, as of the last renewal
  };
  // And of its part for one queue.
  struct open_lease_state {
    std::string queue;
    std::shared_ptr<open_worker> worker;
    std::string pushed_key;         // of the list of pushed jobs that have not arrived
    std::uint64_t pushes_came = 0;  // since Redis was told how many
    bool confirming = false;
  };
  open_lease_state* state_of(const lease& held);
  static awaitable<void> confirm_pushes(std::weak_ptr<redis_broker*> in, std::string channel);
  void on_message(const std::string& channel, std::string_view message);
  renewal read_renewal(const quarq::redis::reply& reply, const worker_lease& held,
                       const std::string& looked_at) const;
  void forget_lease(const worker_lease& held);
  void reconnected();

  const redis_settings settings_;
  quarq::redis::connection connection_;
  quarq::redis::connection payloads_;  // never subscribes; connects when it is needed
  redis_common::server_info server_;
  redis_common::script_runner calls_;
  redis_common::queue_settings set_by_operators_;
  std::shared_ptr<redis_common::enqueue_batcher> enqueuer_;
  std::shared_ptr<redis_common::result_waiters> waits_;
  std::map<std::string, open_lease_state, std::less<>> leases_;                   // by channel
  std::map<std::string, std::shared_ptr<open_worker>, std::less<>> workers_;      // by token
  std::map<std::string, redis_common::request_ids, std::less<>> settle_numbers_;  // by channel
  redis_common::server_clock<std::chrono::steady_clock> clock_;
  const boost::asio::any_io_executor loop_;
  const std::shared_ptr<redis_broker*> self_ = std::make_shared<redis_broker*>(this);  // gone with it
};

/// broker::open() calls it for these URLs.
std::shared_ptr<broker> open_redis(std::string_view url, boost::asio::any_io_executor loop,
                                   open_options options = {});

}  // namespace quarq::broker::redis
