#include "workers/cron_runs.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <quarq/codec.hpp>

#include "base/log.hpp"
#include "clients/paused_crons.hpp"
#include "model/record.hpp"

namespace quarq::workers {

using std::chrono::milliseconds;

namespace {

// nullopt: it has not ended.
std::optional<broker::time_point> ended_at(const broker::job_details& job) {
  if (!is_final(job.state)) return std::nullopt;
  try {
    const auto o = model::decode_outcome(job.outcome);
    return broker::time_point(milliseconds(std::max(o.finished_ms, o.enqueued_ms)));
  } catch (const decode_error&) {
    return broker::time_point{};
  }
}

}  // namespace

bool is_live(const std::optional<broker::job_details>& job) {
  return job && !is_final(job->state);
}

std::string run_before(const broker::job_details& job) {
  try {
    if (is_final(job.state)) return model::decode_outcome(job.outcome).after;
    return model::decode_record(job.record).after;
  } catch (const decode_error&) {
    return {};
  }
}

awaitable<bool> cron_runs::enqueue(const cron::cron_job& c, std::string id,
                                   std::optional<broker::time_point> at, std::string after) {
  model::record r;
  r.task = c.task;
  r.arguments = encode_arguments();
  r.after = std::move(after);
  broker::new_job job;
  job.id = std::move(id);
  job.record = model::encode(r);
  job.priority = c.options.priority;
  job.at = at;
  base::log().debug("{}: planning {}", c.task, job.id);
  std::vector<broker::new_job> one;
  one.push_back(std::move(job));
  const auto answers = co_await broker_.enqueue(c.queue, std::move(one));
  co_return answers.front() == broker::accepted::yes;
}

awaitable<startup_run> cron_runs::latest_at_startup(const cron::cron_job& c) {
  startup_run latest;
  const auto first_id = c.startup_id();
  latest.next_id = first_id;
  while (true) {
    const auto known = co_await broker_.inspect(c.queue, latest.next_id);
    if (!known) co_return latest;
    const bool is_first = latest.id.empty();
    latest.id = latest.next_id;
    const auto end = ended_at(*known);
    if (!end) {
      latest.ended.reset();
      co_return latest;
    }
    // Whatever the outcomes say, the times grow, and so the ids end.
    latest.ended = std::max(*end, latest.ended.value_or(broker::time_point::min()) + milliseconds{1});
    auto& chain = startups_[first_id];
    if (is_first && chain.first_ended == *latest.ended) {
      latest.id = chain.id;
      latest.ended = chain.ended;
    } else {
      if (is_first) chain.first_ended = *latest.ended;
      chain.id = latest.id;
      chain.ended = *latest.ended;
    }
    latest.next_id = fmt::format("{}:{}", first_id, latest.ended->time_since_epoch().count());
  }
}

awaitable<bool> cron_runs::is_paused(const cron::cron_job& c) {
  const auto name = c.task.substr(cron::cron_prefix.size());
  const auto paused = co_await clients::paused_crons(broker_, c.queue);
  co_return std::find(paused.begin(), paused.end(), name) != paused.end();
}

awaitable<bool> cron_runs::requeue(const cron::cron_job& c, std::string id) {
  std::vector<std::string> one;
  one.push_back(std::move(id));
  const auto count = co_await broker_.requeue(c.queue, std::move(one));
  co_return count == 1;
}

}  // namespace quarq::workers
