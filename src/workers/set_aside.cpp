// Jobs that this worker has claimed and does not run now: they stay under its lease, take no slot, and are
// given back later, uncounted.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <quarq/time.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "cron/cron_job.hpp"
#include "workers/worker_core.hpp"

namespace quarq::detail {

namespace asio = boost::asio;

namespace {

// How long a worker keeps what others know better, and gives them to take it before asking for jobs again.
constexpr milliseconds kept_aside{1'000};
constexpr milliseconds others_first{200};
// A cron job that no worker knows was removed, and its last planned run is left over. In the midst of a
// deployment, though, those who know it may be busy.
constexpr milliseconds orphan_timeout = std::chrono::hours(1);

}  // namespace

// A job of a cron task that is not known here, or that is not on its schedule here: in the midst of a
// deployment, or just after one, other workers may know better.
void worker_core::leave_to_others(running_job& job, std::string_view why) {
  if (now_there() <= job.claimed.due_at + orphan_timeout) {
    base::log().debug("left     task={} id={}: {}", job.record.task, job.claimed.id, why);
    set_aside(job, {});
    return;
  }
  end_without_run(job, job_state::expired,
                  fmt::format("{} {}, and no other worker has taken it for {}", job.claimed.id, why,
                              base::human_duration(orphan_timeout)));
}

bool worker_core::leave_unknown_cron(running_job& job, const model::attempt& a) {
  if (a.came != model::attempt::what::unknown_task) return false;
  if (!job.record.task.starts_with(cron::cron_prefix)) return false;
  leave_to_others(job, "is not a cron job that this worker knows");
  return true;
}

void worker_core::set_aside(running_job& job, std::string until_ended) {
  if (job.settled) return;
  job.settled = true;
  --started;
  const auto place =
      asides.emplace(asides.end(), job.from, job.token, job.claimed.id, std::move(until_ended));
  ++roles;
  asio::co_spawn(loop, give_back_later(*place),
                 asio::bind_cancellation_slot(place->cancel.slot(),
                                              [self = shared_from_this(), place](std::exception_ptr e) {
                                                self->asides.erase(place);
                                                --self->roles;
                                                if (e && !self->closing) self->failure = e;
                                                self->wake->ended.set();
                                              }));
}

awaitable<void> worker_core::give_back_later(aside& a) {
  const bool others_may_know = a.until_ended.empty();
  if (!others_may_know) {
    bool answered = false;
    while (!answered && !a.given) {
      try {
        co_await broker->wait_ended(a.from.served.name, a.until_ended);
        answered = true;
      } catch (const broker_error& e) {
        base::log().warn("could not wait for {}, trying again: {}", a.until_ended, e.what());
      }
      if (!answered) co_await sleep_for(pause_after_error);
    }
  } else {
    // A burst worker would only claim it again. It gives everything back when it ends.
    const milliseconds pause = options.burst ? orphan_timeout : kept_aside;
    co_await sleep_for(pause);
  }
  give_back(a);
  if (!others_may_know) {
    ask_again(a.from);
  } else {
    a.from.promised_until = steady::now() + others_first;
    wake->fetch.set();
  }
}

void worker_core::give_back(aside& a) {
  // Of a lost lease others have it already.
  if (std::exchange(a.given, true) || a.token != a.from.lease.token) return;
  broker::settlement s;
  s.id = a.id;
  s.kind = broker::settlement::what::hand_back;
  settle(a.from, std::move(s));
}

}  // namespace quarq::detail
