// A claimed job, from its claim until its settlement is on its way and its handler has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

#include <quarq/context.hpp>
#include <quarq/handler.hpp>

#include "async/activity.hpp"
#include "base/linked_list.hpp"
#include "broker/broker.hpp"
#include "model/current_job.hpp"
#include "model/effective_options.hpp"
#include "model/job_wait.hpp"
#include "model/record.hpp"
#include "model/retry_decision.hpp"
#include "workers/attempt_span.hpp"
#include "workers/clock.hpp"
#include "workers/queue_lease.hpp"
#include "workers/slot_table.hpp"
#include "workers/waiting_line.hpp"

namespace quarq::workers {

/// A job's way over a thread (job_threads). The thread's while that has the job; then the loop's.
struct thread_use {
  clock::time_point start_by = clock::time_point::max();  ///< not to be begun later
  bool has_begun = false;
  clock::time_point began{}, ended{};
  std::string result;
  std::exception_ptr thrown;
  bool is_back = false;  ///< the loop's alone
};

class job_runner;

struct running_job final : model::waiting_job {
  running_job(queue_lease& l, broker::claimed_job c, const context& worker, detail::job_facts facts,
              clock::time_point now)
      : from(l),
        token(l.lease.token),
        claimed(std::move(c)),
        ctx(&worker, std::move(facts)),
        taken(now),
        started(now) {}

  job_runner* by = nullptr;        ///< what runs it
  std::optional<job_slots> slots;  ///< while something does

  queue_lease& from;
  std::string token;  ///< of the lease under which it was claimed
  broker::claimed_job claimed;
  model::record record;
  std::size_t by_position = std::string::npos;  ///< so many arguments came without their names
  const detail::handler* how = nullptr;
  model::effective_options terms;
  bool keeps_state_only = false;  ///< of a success nothing else is to be kept: nobody asked for more
  context ctx;
  model::current_job current{ctx, this};
  async::owned_activity activity;  ///< once a coroutine of it has begun
  boost::asio::cancellation_signal cancel;
  model::stop_reason stopped = model::stop_reason::none;
  /// Whether its start was reported: a job that waits for a thread has not begun.
  bool begun = false;
  const clock::time_point taken;                       ///< when it took its slot
  clock::time_point started;                           ///< when it was claimed, until it has begun
  std::int64_t started_ms = 0;                         ///< the same by the broker's clock
  std::optional<clock::time_point> ended;              ///< unless it is now
  std::optional<clock::time_point> waits_since;        ///< for a thread or process, or to be alone
  bool runs_alone = false, waits_to_be_alone = false;  ///< see isolation
  milliseconds put_off{0};                             ///< for how long, if it is handed back
  base::linked_list<model::job_wait> waits;            ///< for other jobs
  std::size_t wait_count = 0;
  std::size_t lending_waits = 0;  ///< those of them for which its slots are lent
  bool said_that_it_waits = false;
  waiting_line::turn turn;  ///< its process, or its thread where hooks come before
  thread_use thread;
  std::unique_ptr<attempt_span> span;         ///< if it is recorded
  bool is_on_threads = false;                 ///< waits for a thread of job_threads, or runs there
  bool goes_to_threads = false;               ///< is to be there next
  std::optional<clock::time_point> deadline;  ///< its place in `deadlines`
  std::optional<std::size_t> fresh_deadline;  ///< where it is there while that is fresh
  /// Its end is recorded, or is another worker's to record; the handler may take as long as it likes to end.
  bool settled = false;
  std::uint64_t settlement = 0;  ///< its number, once it is settled by how it ended
  std::string printable_id, printable_task, printable_arguments;  ///< where they can't be logged as they are
  std::pmr::list<running_job>::iterator self;

  /// False: the lease was lost, and another worker owns the job.
  bool is_ours() const noexcept { return token == from.lease.token; }

  void wait_began(model::job_wait& one) override;
  void wait_ended(model::job_wait& one) noexcept override;
};

}  // namespace quarq::workers
