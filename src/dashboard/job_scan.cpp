#include "dashboard/job_scan.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <quarq/errors.hpp>

#include "clients/job_description.hpp"
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

bool contains(const std::string& text, const std::string& part) {
  return part.empty() || text.find(part) != text.npos;
}

std::optional<unix_ms> ms_of(const std::optional<job_info::time_point>& time) {
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

}  // namespace

job_match::job_match(const job_query& query) : query_(query), states_(states_of(query.states)) {
  const auto& q = query_;
  is_of_state_only_ =
      q.task.empty() && q.error.empty() && q.text.empty() && q.id.empty() && !q.since && !q.until;
}

bool job_match::wants(const job_info& shown) const {
  if (is_of_state_only_) return true;
  const auto& q = query_;
  if (!q.task.empty() && shown.task != q.task) return false;
  if (!shown.id.starts_with(q.id)) return false;
  if (!q.error.empty() && !contains(shown.error_type + ": " + shown.error, q.error)) return false;
  if (!contains(shown.arguments, q.text) && !contains(shown.keyword_arguments, q.text)) return false;
  if (!q.since && !q.until) return true;
  const auto at = ms_of(shown.enqueued_at);
  return at && (!q.since || *at >= *q.since) && (!q.until || *at < *q.until);
}

job_info shown_job(const std::string& queue, const broker::job_details& details, const redaction& by) {
  auto job = clients::job_description(queue, details);
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
  return view;
}

job_scan::job_scan(std::shared_ptr<broker::broker> store, std::string queue, const job_match& which,
                   const redaction& by, std::string_view from)
    : store_(std::move(store)), queue_(std::move(queue)), which_(which), by_(by) {
  for (const auto state : in_order) {
    if (which.states().empty() || which.states().contains(state)) states_.insert(states_.begin(), state);
  }
  if (from.empty()) return;
  // STATE LOOKED_AT PLACE
  const auto wrong = [] { throw usage_error("from: it is not what a page before has returned"); };
  const auto first = from.find(' ');
  const auto second = first == from.npos ? from.npos : from.find(' ', first + 1);
  if (second == from.npos) wrong();
  const auto state = job_state_from(from.substr(0, first));
  const auto number = from.substr(first + 1, second - first - 1);
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), looked_at_);
  if (!state || failed != std::errc() || end != number.data() + number.size()) wrong();
  while (!states_.empty() && states_.back() != *state) states_.pop_back();
  if (states_.empty()) wrong();
  from_ = from.substr(second + 1);
}

awaitable<std::vector<job_scan::found>> job_scan::next(std::size_t page) {
  std::vector<found> all;
  const auto state = states_.back();
  auto some = co_await store_->page(queue_, state, page, from_);
  looked_at_ += some.jobs.size();
  from_ = std::move(some.next);
  if (from_.empty()) states_.pop_back();
  for (auto& details : some.jobs) {
    auto shown = shown_job(queue_, details, by_);
    if (!which_.wants(shown)) continue;
    found one;
    one.details = std::move(details);
    one.shown = std::move(shown);
    all.push_back(std::move(one));
  }
  co_return all;
}

std::string job_scan::next_place() const {
  if (states_.empty()) return {};
  return fmt::format("{} {} {}", to_string(states_.back()), looked_at_, from_);
}

}  // namespace quarq::dashboard
