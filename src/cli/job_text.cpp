#include "cli/job_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

namespace {

template <class Ended>
std::string type_and_error(const Ended& one) {
  if (one.error_type.empty() || one.error.empty()) return one.error_type + one.error;
  return one.error_type + ": " + one.error;
}

}  // namespace

std::string error_of(const job_info& job) {
  return type_and_error(job);
}

namespace {

std::string attempt_json(const job_attempt& one) {
  return json_object()
      .number("attempt", one.number)
      .time("started_at", one.started_at)
      .time("finished_at", one.finished_at)
      .text_or_null("worker", one.worker)
      .text_or_null("error_type", one.error_type)
      .text_or_null("error", one.error)
      .str();
}

std::string history_json(const job_info& job) {
  std::vector<std::string> all;
  for (const auto& one : job.history) all.push_back(attempt_json(one));
  return json_array(all);
}

std::string headers_json(const job_info& job) {
  json_object all;
  for (const auto& [name, value] : job.headers) all.text(name, value);
  return all.str();
}

std::string tags_json(const job_info& job) {
  std::vector<std::string> all;
  for (const auto& tag : job.tags) all.push_back(json_string(tag));
  return json_array(all);
}

std::string log_json(const job_info& job) {
  std::vector<std::string> all;
  for (const auto& line : job.log) {
    all.push_back(
        json_object().time("at", line.at).number("attempt", line.attempt).text("text", line.text).str());
  }
  return json_array(all);
}

std::string progress_json(const job_progress& far) {
  json_object json;
  json.number("done", far.done);
  far.total == 0 ? json.json("total", "") : json.number("total", far.total);
  return json.str();
}

}  // namespace

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
      .time("finished_at", job.finished_at)
      .json("history", history_json(job))
      .json("headers", headers_json(job))
      .json("tags", tags_json(job));
  job.version == 0 ? json.json("version", "") : json.number("version", job.version);
  if (waits_for) json.text_or_null("waits_for", *waits_for);
  json.json("progress", job.progress ? progress_json(*job.progress) : "");
  json.json("log", log_json(job)).number("log_lines_cut", job.log_lines_cut);
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

template <class Timed>
std::string time_taken(const Timed& job) {
  return job.started_at && job.finished_at ? rough(*job.finished_at - *job.started_at) : "";
}

/// "2026-11-22T14:14:20.488Z, took 3 s on vm:2443: std::runtime_error: HTTP 404".
std::string attempt_line(const job_attempt& one) {
  std::string line = one.started_at ? iso8601(*one.started_at) : "";
  if (const auto took = time_taken(one); !took.empty()) line += ", took " + took;
  if (!one.worker.empty()) line += " on " + one.worker;
  return line + ": " + (one.error_type.empty() ? "succeeded" : type_and_error(one));
}

std::string headers_line(const job_info& job) {
  std::string line;
  for (const auto& [name, value] : job.headers) line += (line.empty() ? "" : ", ") + name + "=" + value;
  return line;
}

/// "3 of 40 (7 %)".
std::string progress_line(const job_info& job) {
  if (!job.progress) return "";
  const auto& [done, total] = *job.progress;
  if (total == 0) return std::to_string(done);
  const auto share = static_cast<double>(done) / static_cast<double>(total);
  return fmt::format("{} of {} ({} %)", done, total, static_cast<int>(100 * std::min(share, 1.0)));
}

std::string log_lines(const job_info& job) {
  if (job.log.empty() && job.log_lines_cut == 0) return "";
  std::string text = "log\n";
  if (job.log_lines_cut > 0) text += fmt::format("  ... {} older lines are not kept\n", job.log_lines_cut);
  const bool one_attempt = job.attempts <= 1;
  for (const auto& line : job.log) {
    const auto attempt = one_attempt ? "" : fmt::format("attempt {}  ", line.attempt);
    text += fmt::format("  {}  {}{}\n", iso8601(line.at), attempt, terminal_safe(line.text));
  }
  return text;
}

}  // namespace

std::string job_lines(const job_info& job, time_point now, const std::string& waits_for) {
  lines all;
  all.add("id", job.id)
      .add("queue", job.queue)
      .add("task", job.task)
      .add("state", to_string(job.state))
      .add("attempts", std::to_string(job.attempts))
      .add("losses", job.losses > 0 ? std::to_string(job.losses) : "")
      .add("priority", std::to_string(job.priority))
      .add("version", job.version == 0 ? "" : std::to_string(job.version))
      .add("tags", fmt::format("{}", fmt::join(job.tags, ", ")))
      .add("headers", headers_line(job))
      .add("arguments", job.arguments)
      .add("by name", job.keyword_arguments)
      .add("result", job.result)
      .add("error", error_of(job))
      .add("worker", job.worker)
      .add("progress", progress_line(job))
      .add("waits for", waits_for.empty() ? "" : "job " + waits_for)
      .add("enqueued", job.enqueued_at, now)
      .add("due", job.due_at, now)
      .add("expires", job.expires_at, now)
      .add("started", job.started_at, now)
      .add(is_final(job.state) ? "finished" : "failed", job.finished_at, now)
      .add("took", time_taken(job));
  // Of a single attempt, all has been said.
  if (job.history.size() > 1 || (job.history.size() == 1 && job.history[0].number > 1)) {
    for (const auto& one : job.history) all.add(fmt::format("attempt {}", one.number), attempt_line(one));
  }
  return all.str() + log_lines(job);
}

}  // namespace quarq::cli
