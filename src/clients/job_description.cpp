#include "clients/job_description.hpp"

#include <utility>

#include <quarq/errors.hpp>

#include "codecs/json.hpp"
#include "model/job_notes.hpp"

namespace quarq::clients {
namespace {

std::optional<job_info::time_point> time_of(std::int64_t ms) {
  if (ms == 0) return std::nullopt;
  return job_info::time_point(model::milliseconds(ms));
}

void set_undecodable(job_info& info, const decode_error& e) {
  info.error_type = "quarq::decode_error";
  info.error = e.what();
}

void add_record(job_info& info, const model::record& r) {
  info.task = r.task;
  info.arguments = codecs::to_json(r.arguments);
  if (!r.keywords.empty()) info.keyword_arguments = codecs::to_json(r.keywords);
  if (!r.labels) return;
  info.headers = r.labels->headers;
  info.tags = r.labels->tags;
  info.version = r.labels->version;
}

void add_history(job_info& info, const model::outcome& o) {
  for (const auto& each : o.earlier) {
    info.history.push_back({each.number, time_of(each.started_ms), time_of(each.finished_ms), each.worker,
                            each.error_type, each.error});
  }
  // One that ended without a start was not tried.
  if (o.started_ms == 0) return;
  info.history.push_back(
      {o.attempts, time_of(o.started_ms), time_of(o.finished_ms), o.worker, o.error_type, o.error});
}

void add_outcome(job_info& info, const model::outcome& o) {
  if (info.task.empty()) info.task = o.task;
  info.attempts = o.attempts;
  info.worker = o.worker;
  info.error_type = o.error_type;
  info.error = o.error;
  if (!o.result.empty()) info.result = codecs::to_json(o.result);
  info.enqueued_at = time_of(o.enqueued_ms);
  info.started_at = time_of(o.started_ms);
  info.finished_at = time_of(o.finished_ms);
}

void add_last_try(job_info& info, const model::outcome& o) {
  info.error_type = o.error_type;
  info.error = o.error;
  info.finished_at = time_of(o.finished_ms);
}

// `details.outcome`, decoded, says the same of the attempts that have ended.
void add_notes(job_info& info, std::string_view in_outcome, const broker::job_details& details) {
  const auto enqueued = details.enqueued_at ? details.enqueued_at->time_since_epoch().count() : 0;
  auto all = model::notes_of(in_outcome, details.note, enqueued);
  for (auto& line : all.lines) {
    const job_info::time_point at{model::milliseconds(line.at_ms)};
    info.log.push_back({at, line.attempt, std::move(line.text)});
  }
  info.log_lines_cut = all.cut;
  if (all.how_far) info.progress = job_progress{all.how_far->done, all.how_far->total};
}

}  // namespace

model::record readable_record(const broker::job_details& job) {
  try {
    if (!job.record.empty()) return model::decode_record(job.record);
  } catch (const decode_error&) {
  }
  return {};
}

model::outcome readable_outcome(const broker::job_details& job) {
  try {
    if (!job.outcome.empty()) return model::decode_outcome(job.outcome);
  } catch (const decode_error&) {
  }
  return {};
}

job_info job_description(const std::string& queue, const broker::job_details& details, notes said) {
  job_info info;
  info.id = details.id;
  info.queue = queue;
  info.state = details.state;
  info.attempts = details.attempts;
  info.losses = details.losses;
  info.priority = details.priority;
  info.worker = details.holder;
  info.enqueued_at = details.enqueued_at;
  info.due_at = details.due_at;
  info.expires_at = details.expires_at;
  try {
    if (!details.record.empty()) add_record(info, model::decode_record(details.record));
  } catch (const decode_error& e) {
    set_undecodable(info, e);
  }
  std::string in_outcome;
  try {
    if (!details.outcome.empty()) {
      const auto outcome = model::decode_outcome(details.outcome);
      const auto add = is_final(details.state) ? add_outcome : add_last_try;
      add(info, outcome);
      add_history(info, outcome);
      in_outcome = outcome.notes;
    }
  } catch (const decode_error& e) {
    set_undecodable(info, e);
  }
  const bool has_said = !in_outcome.empty() || !details.note.empty();
  if (has_said && said == notes::decoded) add_notes(info, in_outcome, details);
  return info;
}

cancel_outcome to_outcome(broker::cancel_result answer) {
  switch (answer) {
    case broker::cancel_result::cancelled:
      return cancel_outcome::cancelled;
    case broker::cancel_result::requested:
      return cancel_outcome::requested;
    case broker::cancel_result::ended:
      return cancel_outcome::too_late;
    case broker::cancel_result::not_found:
      break;
  }
  return cancel_outcome::not_found;
}

}  // namespace quarq::clients
