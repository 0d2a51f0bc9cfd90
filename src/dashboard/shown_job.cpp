#include "dashboard/shown_job.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "codecs/utf8.hpp"

namespace quarq::dashboard {

namespace {

// Jobs under way first, then those that need attention, then those that are over.
constexpr job_state in_order[] = {job_state::running,   job_state::queued,   job_state::deferred,
                                  job_state::dead,      job_state::failed,   job_state::expired,
                                  job_state::cancelled, job_state::succeeded};

job_states states_of(const std::vector<std::string>& words) {
  job_states all;
  for (const auto& word : words) {
    const auto state = job_state_from(word);
    if (!state) throw usage_error(fmt::format("states: \"{}\" is not a state", codecs::printable(word, 40)));
    all = all | *state;
  }
  return all;
}

std::optional<broker::time_point> time_of(const std::optional<unix_ms>& ms) {
  if (!ms) return std::nullopt;
  return broker::time_point(broker::milliseconds(*ms));
}

std::optional<unix_ms> ms_of(const std::optional<job_info::time_point>& time) {
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

}  // namespace

clients::owned_filter filter_of(const job_query& query, const redaction& by) {
  clients::owned_filter which;
  which.states = states_of(query.states);
  which.task = query.task;
  which.error = query.error;
  which.text = query.text;
  which.id_prefix = query.id;
  which.enqueued_from = time_of(query.since);
  which.enqueued_until = time_of(query.until);
  which.shown = [&by](std::string_view json) { return by.apply(json); };
  return which;
}

std::vector<job_state> shown_order(job_states some) {
  std::vector<job_state> states;
  std::copy_if(std::begin(in_order), std::end(in_order), std::back_inserter(states),
               [&](job_state each) { return some.contains(each); });
  return states;
}

job_info shown_job(const std::string& queue, const broker::job_details& details, const redaction& by,
                   clients::notes said) {
  auto job = clients::job_description(queue, details, said);
  job.arguments = by.apply(job.arguments);
  job.keyword_arguments = by.apply(job.keyword_arguments);
  job.result = by.apply(job.result);
  return job;
}

namespace {

void add_labels(job_view& view, const job_info& shown, const redaction& by) {
  for (const auto& tag : shown.tags) view.tags.push_back(codecs::to_utf8(tag));
  for (const auto& [name, value] : shown.headers) {
    auto& header = view.headers.emplace_back();
    header.name = codecs::to_utf8(name);
    header.value = by.is_secret(name) ? "[redacted]" : codecs::to_utf8(value);
  }
  view.version = shown.version;
}

void add_history(job_view& view, const job_info& shown) {
  for (const auto& one : shown.history) {
    auto& attempt = view.history.emplace_back();
    attempt.number = one.number;
    attempt.started = ms_of(one.started_at);
    attempt.finished = ms_of(one.finished_at);
    attempt.worker = codecs::to_utf8(one.worker);
    attempt.error_type = codecs::to_utf8(one.error_type);
    attempt.error = codecs::to_utf8(one.error);
  }
}

void add_notes(job_view& view, const job_info& shown, const redaction& by) {
  for (const auto& line : shown.log) {
    auto text = by.log_line(codecs::to_utf8(line.text));
    view.log.push_back({line.at.time_since_epoch().count(), line.attempt, std::move(text)});
  }
  view.log_lines_cut = shown.log_lines_cut;
  if (shown.progress) view.progress = progress_view{shown.progress->done, shown.progress->total};
}

}  // namespace

job_view view_of(const job_info& shown, const redaction& by) {
  job_view view;
  view.id = codecs::to_utf8(shown.id);
  view.queue = shown.queue;
  view.task = codecs::to_utf8(shown.task);
  view.state = to_string(shown.state);
  view.attempts = shown.attempts;
  view.losses = shown.losses;
  view.priority = shown.priority;
  view.arguments = shown.arguments;
  view.keyword_arguments = shown.keyword_arguments;
  view.result = shown.result;
  view.error_type = codecs::to_utf8(shown.error_type);
  view.error = codecs::to_utf8(shown.error);
  view.worker = codecs::to_utf8(shown.worker);
  view.enqueued = ms_of(shown.enqueued_at);
  view.due = ms_of(shown.due_at);
  view.expires = ms_of(shown.expires_at);
  view.started = ms_of(shown.started_at);
  view.finished = ms_of(shown.finished_at);
  add_history(view, shown);
  add_labels(view, shown, by);
  add_notes(view, shown, by);
  return view;
}

}  // namespace quarq::dashboard
