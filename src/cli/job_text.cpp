#include "cli/job_text.hpp"

#include <fmt/format.h>

#include "cli/output.hpp"
#include "clients/job_description.hpp"

namespace quarq::cli {

job_info described_job(const std::string& queue, const broker::job_details& details,
                       const clients::worker_names& names) {
  job_info job = clients::job_description(queue, details);
  const auto name = names.find(job.worker);
  if (name != names.end()) job.worker = name->second;
  return job;
}

std::string when(const job_info& job, time_point now) {
  const auto& time = job.state == job_state::deferred ? job.due_at
                     : is_final(job.state)            ? job.finished_at
                                                      : job.enqueued_at;
  return time ? relative(*time, now) : "";
}

std::string error_of(const job_info& job) {
  if (job.error_type.empty() || job.error.empty()) return job.error_type + job.error;
  return job.error_type + ": " + job.error;
}

std::string job_json(const job_info& job, const std::optional<std::string>& waits_for) {
  json_object json;
  json.text("id", job.id)
      .text("queue", job.queue)
      .text("task", job.task)
      .text("state", to_string(job.state))
      .number("attempts", job.attempts)
      .number("losses", job.losses)
      .number("priority", job.priority)
      .json("arguments", job.arguments)
      .json("keyword_arguments", job.keyword_arguments)
      .json("result", job.result)
      .text_or_null("error_type", job.error_type)
      .text_or_null("error", job.error)
      .text_or_null("worker", job.worker)
      .time("enqueued_at", job.enqueued_at)
      .time("due_at", job.due_at)
      .time("expires_at", job.expires_at)
      .time("started_at", job.started_at)
      .time("finished_at", job.finished_at);
  if (waits_for) json.text_or_null("waits_for", *waits_for);
  return json.str();
}

namespace {

class lines {
 public:
  lines& add(std::string_view name, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("{:<11}{}\n", name, terminal_safe(value));
    return *this;
  }
  lines& add(std::string_view name, const std::optional<time_point>& value, time_point now) {
    return value ? add(name, fmt::format("{} ({})", iso8601(*value), relative(*value, now))) : *this;
  }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

std::string time_taken(const job_info& job) {
  return job.started_at && job.finished_at ? rough(*job.finished_at - *job.started_at) : "";
}

}  // namespace

std::string job_lines(const job_info& job, time_point now, const std::string& waits_for) {
  return lines()
      .add("id", job.id)
      .add("queue", job.queue)
      .add("task", job.task)
      .add("state", to_string(job.state))
      .add("attempts", std::to_string(job.attempts))
      .add("losses", job.losses > 0 ? std::to_string(job.losses) : "")
      .add("priority", std::to_string(job.priority))
      .add("arguments", job.arguments)
      .add("by name", job.keyword_arguments)
      .add("result", job.result)
      .add("error", error_of(job))
      .add("worker", job.worker)
      .add("waits for", waits_for.empty() ? "" : "job " + waits_for)
      .add("enqueued", job.enqueued_at, now)
      .add("due", job.due_at, now)
      .add("expires", job.expires_at, now)
      .add("started", job.started_at, now)
      .add(is_final(job.state) ? "finished" : "failed", job.finished_at, now)
      .add("took", time_taken(job))
      .str();
}

}  // namespace quarq::cli
