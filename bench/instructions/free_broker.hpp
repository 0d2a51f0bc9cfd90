// A broker whose part of a job costs next to nothing, so that a worker's own part can be counted.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.hpp"

namespace quarq::bench::instructions {

/// Holds so many jobs like one that it is given, and takes whatever comes of them. For one worker.
class free_broker final : public broker::broker {
 public:
  free_broker(quarq::broker::new_job like, std::size_t count, boost::asio::any_io_executor loop);

  /// How many jobs have ended as succeeded.
  std::size_t succeeded() const noexcept { return succeeded_; }

  awaitable<void> open_lease(quarq::broker::worker_lease held, quarq::broker::lease_options options,
                             quarq::broker::worker_events events) override;
  awaitable<quarq::broker::renewal> renew(quarq::broker::worker_lease held,
                                          quarq::broker::lease_options options) override;
  awaitable<void> close_lease(quarq::broker::worker_lease held) override;
  awaitable<quarq::broker::claim_result> claim(quarq::broker::lease held, std::size_t max) override;
  awaitable<std::vector<bool>> settle(quarq::broker::lease held,
                                      std::vector<quarq::broker::settlement> batch) override;
  awaitable<void> reconcile(quarq::broker::lease held, std::vector<std::string> known) override;

  // Nobody asks for these here.
  awaitable<std::vector<quarq::broker::accepted>> enqueue(std::string queue,
                                                          std::vector<quarq::broker::new_job> jobs) override;
  awaitable<std::optional<quarq::broker::ended>> wait_ended(std::string queue, std::string id) override;
  awaitable<quarq::broker::cancel_result> cancel(std::string queue, std::string id, std::string outcome,
                                                 std::optional<quarq::broker::milliseconds> keep) override;
  awaitable<std::optional<quarq::broker::job_details>> inspect(std::string queue, std::string id) override;
  awaitable<quarq::broker::job_page> page(std::string queue, job_state state, std::size_t max,
                                          std::string from) override;
  awaitable<std::vector<quarq::broker::queue_summary>> queues() override;
  awaitable<std::vector<quarq::broker::worker_summary>> workers(std::string queue) override;
  awaitable<bool> set_paused(std::string queue, bool paused) override;
  awaitable<bool> is_paused(std::string queue) override;
  awaitable<std::size_t> requeue(std::string queue, std::vector<std::string> ids) override;
  awaitable<std::size_t> purge(std::string queue, job_state state) override;
  awaitable<std::vector<std::string>> warnings() override;

 private:
  awaitable<void> next_turn() const;

  quarq::broker::new_job like_;
  std::size_t left_;
  std::size_t succeeded_ = 0;
  boost::asio::any_io_executor loop_;
};

}  // namespace quarq::bench::instructions
