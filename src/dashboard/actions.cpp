#include "dashboard/actions.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/cancel.hpp"
#include "clients/job_filter.hpp"
#include "clients/paused_crons.hpp"
#include "clients/queue_impl.hpp"
#include "codecs/utf8.hpp"
#include "cron/cron_list.hpp"
#include "dashboard/shown_job.hpp"

namespace quarq::dashboard {

namespace {

usage_error unknown_action(const std::string& action) {
  return usage_error(fmt::format("action: \"{}\" is not one", codecs::printable(action, 40)));
}

void limit_states(job_states asked, job_states possible, const std::string& action) {
  if (!asked.empty() && (asked & possible) == asked) return;
  throw usage_error(
      fmt::format("{}: it is for jobs that are {}", action, clients::owned_filter::in_words(possible)));
}

const char* words_for(broker::cancel_result what) {
  switch (what) {
    case broker::cancel_result::cancelled:
      return "cancelled";
    case broker::cancel_result::requested:
      return "requested";
    case broker::cancel_result::ended:
      return "too late";
    case broker::cancel_result::not_found:
      break;
  }
  return "not found";
}

}  // namespace

awaitable<done_view> change_queue(reader& at, queue_request asked) {
  const bool pauses = asked.action == "pause";
  if (!pauses && asked.action != "resume") throw unknown_action(asked.action);
  clients::check_queue_name(asked.queue);
  const bool changed = co_await at.store().set_paused(asked.queue, pauses);
  done_view done;
  done.count = changed ? 1 : 0;
  done.outcome = pauses ? "paused" : "resumed";
  co_return done;
}

awaitable<done_view> change_job(reader& at, job_request asked) {
  done_view done;
  if (asked.action == "cancel") {
    const auto answer = co_await clients::cancel(at.shared_store(), asked.queue, asked.id);
    if (answer == broker::cancel_result::not_found) throw job_not_found(asked.id);
    done.outcome = words_for(answer);
    done.count = answer == broker::cancel_result::ended ? 0 : 1;
  } else if (asked.action == "requeue") {
    std::vector<std::string> one(1, asked.id);
    done.count = co_await at.store().requeue(asked.queue, std::move(one));
    done.outcome = done.count > 0 ? "requeued" : "not dead any more";
  } else {
    throw unknown_action(asked.action);
  }
  co_return done;
}

awaitable<done_view> change_jobs(reader& at, bulk_request asked) {
  auto which = filter_of(asked.which, at.redacted_by());
  const auto& store = at.shared_store();
  done_view done;
  if (asked.action == "cancel") {
    limit_states(which.states, clients::open_states, asked.action);
    const auto some = co_await clients::cancel_matching(store, asked.queue, std::move(which));
    done.count = some.cancelled + some.requested;
    done.outcome = "cancelled";
  } else if (asked.action == "requeue") {
    limit_states(which.states, job_state::dead, asked.action);
    done.count = co_await clients::requeue_matching(store, asked.queue, std::move(which));
    done.outcome = "requeued";
  } else if (asked.action == "purge") {
    limit_states(which.states, clients::purgeable_states, asked.action);
    done.count = co_await clients::purge_matching(store, asked.queue, std::move(which));
    done.outcome = "purged";
  } else {
    throw unknown_action(asked.action);
  }
  co_return done;
}

awaitable<done_view> change_cron(reader& at, cron_request asked) {
  clients::check_queue_name(asked.queue);
  done_view done;
  const bool pauses = asked.action == "pause";
  if (pauses || asked.action == "resume") {
    const bool changed =
        co_await clients::set_cron_paused(at.shared_store(), asked.queue, asked.name, pauses);
    done.count = changed ? 1 : 0;
    done.outcome = pauses ? "paused" : "resumed";
    co_return done;
  }
  if (asked.action != "run") throw unknown_action(asked.action);
  auto made = co_await cron::enqueue_run(at.shared_store(), asked.queue, asked.name);
  done.outcome = std::move(made.id);
  done.count = made.accepted ? 1 : 0;
  co_return done;
}

}  // namespace quarq::dashboard
