#include "dashboard/actions.hpp"

#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/cancel.hpp"
#include "clients/job_filter.hpp"
#include "clients/new_job.hpp"
#include "clients/queue_impl.hpp"
#include "codecs/utf8.hpp"
#include "cron/cron_job.hpp"

namespace quarq::dashboard {

namespace {

usage_error unknown_action(const std::string& action) {
  return usage_error(fmt::format("action: \"{}\" is not one", codecs::printable(action, 40)));
}

void limit_states(const job_query& which, job_states possible, const std::string& action) {
  const job_match read(which);
  const auto states = read.states();
  if (!states.empty() && (states & possible) == states) return;
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

awaitable<std::size_t> cancel_some(reader& at, std::string queue, std::vector<std::string> ids) {
  const auto answers = co_await clients::cancel(at.shared_store(), std::move(queue), std::move(ids));
  std::size_t count = 0;
  for (const auto answer : answers) {
    if (answer == broker::cancel_result::cancelled || answer == broker::cancel_result::requested) ++count;
  }
  co_return count;
}

// Of one page, whose jobs are in one state.
awaitable<std::size_t> change_some(reader& at, std::string action, std::string queue, job_state state,
                                   std::vector<std::string> ids) {
  if (action == "cancel") return cancel_some(at, std::move(queue), std::move(ids));
  if (action == "requeue") return at.store().requeue(std::move(queue), std::move(ids));
  return at.store().purge_named(std::move(queue), state, std::move(ids));
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
  const bool cancels = asked.action == "cancel";
  if (!cancels && asked.action != "requeue" && asked.action != "purge") throw unknown_action(asked.action);
  limit_states(asked.which,
               cancels                     ? clients::open_states
               : asked.action == "requeue" ? job_states(job_state::dead)
                                           : clients::purgeable_states,
               asked.action);
  const job_match which(asked.which);
  done_view done;
  done.outcome = cancels ? "cancelled" : asked.action == "requeue" ? "requeued" : "purged";
  job_scan scan(at.shared_store(), asked.queue, which, at.redacted_by());
  std::set<std::string> requeued;  // one that dies again meanwhile is not sent again
  while (!scan.is_over()) {
    const auto some = co_await scan.next(broker::max_page);
    std::vector<std::string> ids;
    for (const auto& one : some) {
      if (asked.action != "requeue" || requeued.insert(one.details.id).second) ids.push_back(one.details.id);
    }
    if (ids.empty()) continue;  // which would mean all
    const auto state = some.front().details.state;
    const auto count = co_await change_some(at, asked.action, asked.queue, state, std::move(ids));
    done.count += count;
  }
  co_return done;
}

awaitable<done_view> run_cron(reader& at, cron_request asked) {
  clients::check_queue_name(asked.queue);
  detail::call_data call;
  call.task = std::string(cron::cron_prefix) + asked.name;
  call.arguments = "\x90";  // none
  std::vector<broker::new_job> jobs;
  jobs.push_back(clients::to_job(std::move(call)));
  done_view done;
  done.outcome = jobs.front().id;
  const auto answers = co_await at.store().enqueue(asked.queue, std::move(jobs));
  done.count = answers.front() == broker::accepted::yes ? 1 : 0;
  co_return done;
}

}  // namespace quarq::dashboard
