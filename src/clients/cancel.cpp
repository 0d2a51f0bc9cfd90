#include "clients/cancel.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/gather.hpp>
#include <quarq/job_state.hpp>

#include "clients/job_description.hpp"
#include "model/effective_options.hpp"

namespace quarq::clients {
namespace {

constexpr std::size_t max_at_once = 200;  // each is a few messages to the broker

const char* when_cancelled(const broker::job_details& job) {
  if (job.state == job_state::running) return "while it ran";
  return job.attempts == 0 ? "before it ran" : "before its next attempt";
}

awaitable<broker::cancel_result> cancel_known(std::shared_ptr<broker::broker> broker, std::string queue,
                                              const broker::job_details& job) {
  const auto end = end_if_cancelled(job);
  auto encoded = model::encode(end.what);
  const auto answer = co_await broker->cancel(std::move(queue), job.id, std::move(encoded), end.keep);
  co_return answer;
}

template <class Jobs, class One>
awaitable<std::vector<broker::cancel_result>> cancel_each(Jobs& jobs, const One& cancel_one) {
  std::vector<broker::cancel_result> answers;
  answers.reserve(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); i += max_at_once) {
    std::vector<awaitable<broker::cancel_result>> some;
    for (std::size_t k = i; k < std::min(jobs.size(), i + max_at_once); ++k)
      some.push_back(cancel_one(jobs[k]));
    const auto done = co_await gather(std::move(some));
    answers.insert(answers.end(), done.begin(), done.end());
  }
  co_return answers;
}

}  // namespace

cancelled_end end_if_cancelled(const broker::job_details& job) {
  const auto r = readable_record(job);
  cancelled_end end;
  end.keep = model::effective_options_for(r, handler_options{}).keep_failure.duration();
  auto& o = end.what;
  o.task = r.task;
  o.attempts = job.attempts;
  // Its start and end are left out: only the broker's clock could tell them.
  if (job.enqueued_at) o.enqueued_ms = job.enqueued_at->time_since_epoch().count();
  o.error_type = "quarq::cancelled";
  o.error =
      fmt::format("{} was cancelled {}", r.task.empty() ? "job " + job.id : r.task, when_cancelled(job));
  return end;
}

awaitable<broker::cancel_result> cancel(std::shared_ptr<broker::broker> broker, std::string queue,
                                        std::string id) {
  const auto job = co_await broker->inspect(queue, id);
  if (!job) co_return broker::cancel_result::not_found;
  if (is_final(job->state)) co_return broker::cancel_result::ended;
  const auto answer = co_await cancel_known(broker, queue, *job);
  co_return answer;
}

awaitable<std::vector<broker::cancel_result>> cancel(std::shared_ptr<broker::broker> broker,
                                                     std::string queue, std::vector<std::string> ids) {
  const auto one = [&](std::string& id) { return cancel(broker, queue, std::move(id)); };
  auto answers = co_await cancel_each(ids, one);
  co_return answers;
}

awaitable<std::vector<broker::cancel_result>> cancel(std::shared_ptr<broker::broker> broker,
                                                     std::string queue,
                                                     const std::vector<broker::job_details>& jobs) {
  const auto one = [&](const broker::job_details& job) { return cancel_known(broker, queue, job); };
  auto answers = co_await cancel_each(jobs, one);
  co_return answers;
}

}  // namespace quarq::clients
